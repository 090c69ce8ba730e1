// A bad network: messages are late, lost, doubled, overtaken, and devices cut off for a while. Every draw comes from
// a stream named after client and direction, so that one device's messages do not shift another's fate.

import type { Clock } from "../shared/clock.js";
import type { Counters } from "../shared/counters.js";
import type { DeviceId } from "../shared/id.js";
import { type Random, randomStream } from "../shared/random.js";
import type { Fate, FaultModel, Passage } from "../shared/transport/fault.js";

/** How bad a network is. Shares are of messages. */
export interface NetworkFaults {
  /** The usual delay is up to this long. */
  readonly delayMs: number;
  /** Share of messages that take ten times as long. */
  readonly slow: number;
  readonly loss: number;
  readonly duplicate: number;
  /** Share that may overtake those before them. */
  readonly overtake: number;
}

/** What a network stands on. */
export interface NetworkOptions {
  readonly seed: string;
  readonly clock: Clock;
  readonly faults: NetworkFaults;
  /** Counts what really happened: delay, loss, duplicate, reorder, partition. */
  readonly counters: Counters;
}

/** The delay of a calm network. */
const CALM: Fate = { delayMs: 1, copies: 1 };
/** What is slower than this is a delay worth counting. */
const DELAY_COUNTED_MS = 100;

/** A fault model for the memory broker. */
export class FaultyNetwork implements FaultModel {
  readonly #options: NetworkOptions;
  readonly #streams = new Map<string, Random>();
  /** When the last message of a client and direction arrives, of those sent so far. */
  readonly #arrivals = new Map<string, number>();
  readonly #cutUntil = new Map<DeviceId, number>();
  #isCalm = false;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  fate({ clientId, direction }: Passage): Fate {
    if (this.#isCalm) return CALM;
    const lane = `${clientId} ${direction}`;
    const fate = this.#draw(this.#streamOf(lane));
    this.#count(lane, fate);
    return fate;
  }

  unreachableUntil(clientId: DeviceId): number {
    const untilMs = this.#cutUntil.get(clientId) ?? 0;
    if (untilMs > this.#options.clock.now()) this.#options.counters.add("partition");
    return untilMs;
  }

  /** Cuts a client off. */
  cut(clientId: DeviceId, durationMs: number): void {
    this.#cutUntil.set(clientId, this.#options.clock.now() + durationMs);
  }

  /** No more faults from now on. */
  calm(): void {
    this.#isCalm = true;
    this.#cutUntil.clear();
  }

  // Always the same number of draws, so that changing one share leaves the other faults where they were.
  #draw(random: Random): Fate {
    const { faults } = this.#options;
    const base = 1 + random.integer(faults.delayMs);
    const delayMs = random.uniform() < faults.slow ? 10 * base : base;
    const isLost = random.uniform() < faults.loss;
    const isDoubled = random.uniform() < faults.duplicate;
    const overtakes = random.uniform() < faults.overtake;
    return { delayMs, copies: isLost ? 0 : isDoubled ? 2 : 1, overtakes };
  }

  #count(lane: string, { delayMs, copies, overtakes }: Fate): void {
    const { counters, clock } = this.#options;
    if (copies === 0) {
      counters.add("loss");
      return;
    }
    const arrivesMs = clock.now() + delayMs;
    const lastMs = this.#arrivals.get(lane) ?? 0;
    if (delayMs > DELAY_COUNTED_MS) counters.add("delay");
    if (copies > 1) counters.add("duplicate");
    if (overtakes && arrivesMs < lastMs) counters.add("reorder");
    this.#arrivals.set(lane, Math.max(lastMs, arrivesMs));
  }

  #streamOf(lane: string): Random {
    let stream = this.#streams.get(lane);
    if (stream === undefined) {
      stream = randomStream(this.#options.seed, "network", lane);
      this.#streams.set(lane, stream);
    }
    return stream;
  }
}
