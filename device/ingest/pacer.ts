// Replays at the pace it happened, or so many times as fast: readings wait until it is their time.

import { type Clock, sleep } from "../../shared/clock.js";
import { HeadwaterError } from "../../shared/error.js";

/** Waits shorter than this cost more than they are worth. */
const WAIT_MIN_MS = 5;
/** Longest single wait: a timer of node's ends at 2^31 ms. */
const WAIT_MAX_MS = 3_600_000;

/** One replay. Its sources share it, or one of them would be years ahead of another. */
export class Pacer {
  readonly #clock: Clock;
  readonly #speed: number;
  readonly #signal: AbortSignal;
  /** When the first reading happened, and when it was replayed. */
  #start: { readonly eventMs: number; readonly clockMs: number } | undefined;

  /** `speed`: event time per time, finite. */
  constructor(clock: Clock, speed: number, signal: AbortSignal) {
    this.#clock = clock;
    this.#speed = speed;
    this.#signal = signal;
  }

  /** Waits until it is time for what happened then. False: the replay has ended before. */
  async wait(eventMs: number): Promise<boolean> {
    for (let ms = this.#aheadMs(eventMs); ms >= WAIT_MIN_MS; ms = this.#aheadMs(eventMs)) {
      try {
        await sleep(this.#clock, Math.min(ms, WAIT_MAX_MS), this.#signal);
      } catch (error) {
        if (error instanceof HeadwaterError && error.code === "aborted") return false;
        throw error;
      }
    }
    return true;
  }

  /** How long until it is time for what happened then. */
  #aheadMs(eventMs: number): number {
    if (this.#signal.aborted) return 0;
    const clockMs = this.#clock.now();
    this.#start ??= { eventMs, clockMs };
    return (eventMs - this.#start.eventMs) / this.#speed - (clockMs - this.#start.clockMs);
  }
}
