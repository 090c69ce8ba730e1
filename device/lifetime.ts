// One life of a device process: a clock whose timers die with it, so that nothing of it happens afterwards.

import type { Cancel, Clock } from "../shared/clock.js";

/** A clock until `end`, and the signal that ends whatever else is under way. */
export class Lifetime implements Clock {
  readonly #clock: Clock;
  readonly #end = new AbortController();
  readonly #timers = new Set<Cancel>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  now(): number {
    return this.#clock.now();
  }

  elapsed(): number {
    return this.#clock.elapsed();
  }

  /** As the clock's; never fires after the end. */
  after(delayMs: number, action: () => void): Cancel {
    if (this.signal.aborted) return () => undefined;
    const cancel = this.#clock.after(delayMs, () => {
      this.#timers.delete(forget);
      action();
    });
    const forget = () => {
      this.#timers.delete(forget);
      cancel();
    };
    this.#timers.add(forget);
    return forget;
  }

  turn(): Promise<void> {
    return this.#clock.turn();
  }

  /** Cancels every timer and aborts the signal. */
  end(): void {
    for (const cancel of [...this.#timers]) cancel();
    this.#end.abort();
  }
}
