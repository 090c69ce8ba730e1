// When a report is due: at its interval, and soon after something that should not wait for it.

import type { Cancel, Clock } from "../../shared/clock.js";
import type { Random } from "../../shared/random.js";

/** What must not wait is told at once, but not more often than this share of the interval. */
const HASTE = 10;

export interface ReporterOptions {
  readonly clock: Clock;
  readonly reportMs: number;
  /** Spreads a fleet that was switched on at one time. */
  readonly random: Random;
  /** Sends what there is to tell by now. */
  readonly send: () => void;
}

/** Calls `send`, until it is stopped. */
export class Reporter {
  readonly #options: ReporterOptions;
  #lastMs = Number.NEGATIVE_INFINITY;
  #dueMs = Number.POSITIVE_INFINITY;
  #cancel: Cancel = () => undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#sendIn(options.reportMs * options.random.uniform());
  }

  /** Something has happened that should be heard of. */
  soon(): void {
    const { clock, reportMs } = this.#options;
    const waitMs = Math.max(0, this.#lastMs + reportMs / HASTE - clock.elapsed());
    if (clock.elapsed() + waitMs < this.#dueMs) this.#sendIn(waitMs);
  }

  stop(): void {
    this.#cancel();
    this.#dueMs = Number.NEGATIVE_INFINITY;
  }

  #sendIn(delayMs: number): void {
    const { clock } = this.#options;
    this.#cancel();
    this.#dueMs = clock.elapsed() + delayMs;
    this.#cancel = clock.after(delayMs, () => this.#send());
  }

  #send(): void {
    const { clock, reportMs, send } = this.#options;
    this.#lastMs = clock.elapsed();
    this.#sendIn(reportMs);
    send();
  }
}
