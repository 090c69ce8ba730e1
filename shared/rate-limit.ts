// So many messages per second in the long run, and some at once: the generic cell rate algorithm of ITU-T I.371.

import { assert } from "./assert.js";

/** One rate. Time is given, so that whoever waits may wait on any clock. */
export class RateLimit {
  readonly #everyMs: number;
  readonly #toleranceMs: number;
  readonly #burst: number;
  /** When the next message would come if all had come evenly. */
  #dueMs = -Infinity;
  #nowMs = -Infinity;

  /** `perSecond` undefined: no limit. */
  constructor({ perSecond, burst }: { readonly perSecond: number | undefined; readonly burst: number }) {
    assert((perSecond ?? 1) > 0 && burst >= 1, `a rate of ${perSecond} per second, a burst of ${burst}`);
    this.#everyMs = perSecond === undefined ? 0 : 1000 / perSecond;
    this.#toleranceMs = (burst - 1) * this.#everyMs;
    this.#burst = burst;
  }

  /** 0 when `count` messages may come now, which are counted; otherwise how long until they may. */
  take(nowMs: number, count = 1): number {
    // A clock that was set back must not silence a source for as long.
    if (nowMs < this.#nowMs) this.#dueMs -= this.#nowMs - nowMs;
    this.#nowMs = nowMs;
    const dueMs = Math.max(this.#dueMs, nowMs);
    // More than the burst come together when none is owed: they could not come otherwise.
    const neededMs = (Math.min(count, this.#burst) - 1) * this.#everyMs;
    const waitMs = dueMs + neededMs - this.#toleranceMs - nowMs;
    if (waitMs > 0) return waitMs;
    this.#dueMs = dueMs + count * this.#everyMs;
    return 0;
  }
}
