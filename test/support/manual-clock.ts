// A clock that stands still until a test moves it.

import { type Cancel, type Clock, systemClock } from "../../shared/clock.js";

interface Timer {
  readonly atMs: number;
  readonly action: () => void;
}

/** Virtual time for unit tests. Timers fire in order of time, then of being set. */
export class ManualClock implements Clock {
  #nowMs: number;
  #setMs = 0;
  readonly #timers = new Set<Timer>();

  constructor(nowMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs + this.#setMs;
  }

  elapsed(): number {
    return this.#nowMs;
  }

  /** Somebody sets the clock; timers do not care. */
  set(nowMs: number): void {
    this.#setMs = nowMs - this.#nowMs;
  }

  after(delayMs: number, action: () => void): Cancel {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, delayMs), action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Does not wait for time to be moved: a turn costs none. */
  turn(): Promise<void> {
    return systemClock.turn();
  }

  /** Moves time on by `durationMs`; after each timer, promises that need no time of their own settle. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await systemClock.turn();
    while (await this.#fire(endMs));
    this.#nowMs = endMs;
  }

  /** Fires timers until `condition` holds; throws when none is left within `limitMs`. */
  async until(condition: () => boolean, limitMs = 120_000): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    await systemClock.turn();
    while (!condition()) {
      if (!(await this.#fire(endMs))) throw new Error(`not so within ${limitMs} ms: ${condition}`);
    }
  }

  /** Moves time on until the promise has settled; comes to what it does. */
  async settle<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await this.until(() => isSettled, limitMs);
    return promise;
  }

  /** Timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Fires the next timer due by `endMs`; false when there is none. */
  async #fire(endMs: number): Promise<boolean> {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.atMs < next.atMs) next = timer;
    if (next === undefined || next.atMs > endMs) return false;
    this.#timers.delete(next);
    this.#nowMs = next.atMs;
    next.action();
    await systemClock.turn();
    return true;
  }
}
