// Back-off as an iterable of delays: who retries takes the next delay, and decides what ends it.

import { assert } from "./assert.js";
import type { Random } from "./random.js";

/** A series of delays that doubles from `firstMs` to `maxMs`. */
export interface RetryPlan {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Up to this fraction is added to every delay at random, so that a fleet does not speak at once. */
  readonly jitter: number;
}

/** The delays of one series of attempts, without end. Every iteration starts anew. */
export function retryDelays(plan: RetryPlan, random: Random): Iterable<number> {
  const { firstMs, maxMs, jitter } = plan;
  assert(firstMs > 0 && firstMs <= maxMs, `a first delay of ${firstMs} ms, at most ${maxMs} ms`);
  return {
    *[Symbol.iterator]() {
      for (let delayMs = firstMs; ; delayMs = Math.min(delayMs * 2, maxMs)) {
        yield Math.round(delayMs * (1 + jitter * random.uniform()));
      }
    },
  };
}

/** One series of delays that can be started over, for a need that comes again and again. */
export class Retry {
  readonly #delays: Iterable<number>;
  #series: Iterator<number>;

  constructor(plan: RetryPlan, random: Random) {
    this.#delays = retryDelays(plan, random);
    this.#series = this.#delays[Symbol.iterator]();
  }

  /** How long to wait before the next attempt. */
  next(): number {
    const { value } = this.#series.next();
    return value;
  }

  /** The need was met: the next delay is the first again. */
  reset(): void {
    this.#series = this.#delays[Symbol.iterator]();
  }
}
