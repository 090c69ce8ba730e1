// Gives devices their readings: history at once, live telemetry as the mapped clock reaches each reading's time.

import type { Agent } from "../device/agent.js";
import type { DeviceId } from "../shared/id.js";
import type { Reading } from "../shared/pipeline/types.js";
import type { Federation } from "./federation.js";
import type { Pace } from "./sensors/registry.js";

/** Readings handed over in one go. */
const BATCH = 5_000;
/** How often live telemetry is handed over, in event time: well before any source counts as idle. */
const HANDOVER_MS = 30 * 60_000;

/** The event time that is now, when telemetry began to stream in at virtual `startMs`. */
export function eventTimeAt({ fromMs, speed }: Pace, startMs: number, nowMs: number): number {
  return fromMs + (nowMs - startMs) * speed;
}

/**
 * All readings of every device, as history: event time is what the readings say. Leaves none in `feed`: a device that
 * has them keeps what it needs.
 */
export async function feedHistory(
  federation: Federation,
  feed: Map<DeviceId, readonly Reading[]>,
): Promise<void> {
  const { agents } = federation;
  for (const [device, readings] of feed) {
    const agent = agents.get(device)!;
    await handOver(federation, agent, readings);
    await federation.during(agent.endOfData());
    feed.set(device, []);
  }
}

/** Telemetry that streams in while the federation runs. */
export class LiveFeed {
  readonly #federation: Federation;
  readonly #pace: Pace;
  readonly #startMs: number;
  /** Between two hand-overs, virtual. */
  readonly #tickMs: number;
  #streaming = 0;
  #lastMs: number;

  /** `startMs` is the virtual time that `pace.fromMs` stands for. */
  constructor(federation: Federation, pace: Pace, startMs: number) {
    this.#federation = federation;
    this.#pace = pace;
    this.#startMs = startMs;
    this.#tickMs = HANDOVER_MS / pace.speed;
    this.#lastMs = pace.fromMs;
  }

  /** Hands over what is older than now, and schedules the rest for when it happens. */
  async start(feed: ReadonlyMap<DeviceId, readonly Reading[]>): Promise<void> {
    const nowMs = this.#eventNow();
    for (const [device, readings] of feed) {
      const agent = this.#federation.agents.get(device)!;
      const firstNew = readings.findIndex(({ timeMs }) => timeMs > nowMs);
      const known = firstNew < 0 ? readings.length : firstNew;
      await handOver(this.#federation, agent, readings.slice(0, known));
      this.#lastMs = Math.max(this.#lastMs, readings.at(-1)?.timeMs ?? nowMs);
      this.#streaming++;
      this.#stream(agent, readings, known);
    }
  }

  /** All telemetry has been handed over. */
  get isOver(): boolean {
    return this.#streaming === 0;
  }

  /** Virtual time until all telemetry has been handed over. */
  get restMs(): number {
    return Math.max(0, (this.#lastMs - this.#eventNow()) / this.#pace.speed) + this.#tickMs;
  }

  #stream(agent: Agent, readings: readonly Reading[], from: number): void {
    this.#federation.clock.after(this.#tickMs, () => {
      const nowMs = this.#eventNow();
      let to = from;
      while (to < readings.length && readings[to]!.timeMs <= nowMs) to++;
      const handed = agent.ingest(readings.slice(from, to));
      if (to < readings.length) this.#stream(agent, readings, to);
      else void handed.then(() => agent.endOfData()).then(() => this.#streaming--);
    });
  }

  #eventNow(): number {
    return eventTimeAt(this.#pace, this.#startMs, this.#federation.clock.now());
  }
}

async function handOver(federation: Federation, agent: Agent, readings: readonly Reading[]): Promise<void> {
  for (let from = 0; from < readings.length; from += BATCH) {
    await federation.during(agent.ingest(readings.slice(from, from + BATCH)));
  }
}
