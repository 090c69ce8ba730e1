// How much of the data is missing or refused, by what the pipeline has counted in this process.

import type { Counters } from "../../shared/counters.js";
import type { DeviceReport } from "../../shared/wire/report.js";

/** Rows and readings since the task was adopted. */
export class QualityMeter {
  readonly #counters: Counters;
  readonly #missingBefore: number;
  readonly #maskedBefore: number;
  #rows = 0;
  #refused = 0;

  constructor(counters: Counters) {
    this.#counters = counters;
    this.#missingBefore = counters.get("features.missing");
    this.#maskedBefore = counters.get("features.masked");
  }

  /** A row has become features. */
  row(): void {
    this.#rows += 1;
  }

  /** A reading, or a value of it, was set aside. */
  refused(): void {
    this.#refused += 1;
  }

  get shares(): DeviceReport["quality"] {
    // A row without a value makes no features, unless missing values have indicators.
    const dropped = this.#counters.get("features.missing") - this.#missingBefore;
    const masked = this.#counters.get("features.masked") - this.#maskedBefore;
    return {
      missing: share(dropped + masked, this.#rows + dropped),
      refused: share(this.#refused, this.#rows + dropped + this.#refused),
    };
  }
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(1, part / whole);
}
