// Gives devices their readings: history at once, or live, as the clock reaches each reading's time.

import type { Agent } from "../device/agent.js";
import type { DeviceId } from "../shared/id.js";
import type { Reading } from "../shared/pipeline/types.js";
import type { Federation } from "./federation.js";

/** Readings handed over in one go. */
const BATCH = 5_000;
/** How often live telemetry is handed over: what a sensor gateway buffers. */
const LIVE_EVERY_MS = 10 * 60_000;

/** All readings of every device, as history: event time is what the readings say. */
export async function feedHistory(
  federation: Federation,
  feed: ReadonlyMap<DeviceId, readonly Reading[]>,
): Promise<void> {
  for (const [device, readings] of feed) {
    const agent = federation.agents.get(device)!;
    for (let from = 0; from < readings.length; from += BATCH) {
      await federation.during(agent.ingest(readings.slice(from, from + BATCH)));
    }
    await federation.during(agent.endOfData());
  }
}

/** Schedules every device's readings for when they happen; resolves `isOver` once all have been handed over. */
export class LiveFeed {
  readonly #federation: Federation;
  #streaming = 0;

  constructor(federation: Federation, feed: ReadonlyMap<DeviceId, readonly Reading[]>) {
    this.#federation = federation;
    for (const [device, readings] of feed) {
      this.#streaming++;
      this.#stream(federation.agents.get(device)!, readings, 0);
    }
  }

  /** All telemetry has been handed over. */
  get isOver(): boolean {
    return this.#streaming === 0;
  }

  #stream(agent: Agent, readings: readonly Reading[], from: number): void {
    this.#federation.clock.after(LIVE_EVERY_MS, () => {
      const nowMs = this.#federation.clock.now();
      let to = from;
      while (to < readings.length && readings[to]!.timeMs <= nowMs) to++;
      const isLast = to === readings.length;
      const handed = agent
        .ingest(readings.slice(from, to))
        .then(() => (isLast ? agent.endOfData() : undefined));
      if (!isLast) this.#stream(agent, readings, to);
      else void handed.then(() => this.#streaming--);
    });
  }
}
