// How often a measure was at most so large: a fixed number of counts, whatever is measured.

/** Seconds: from a prediction to a round. */
export const DURATION_BUCKETS = [
  0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800,
] as const;

export interface Buckets {
  /** Ascending upper bounds, without infinity. */
  readonly bounds: readonly number[];
  /** How many were at most the bound of the same place. */
  readonly cumulative: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/** Counts measures. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #count = 0;
  #sum = 0;

  constructor(bounds: readonly number[] = DURATION_BUCKETS) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#count++;
    this.#sum += value;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    if (at >= 0) this.#counts[at]!++;
  }

  snapshot(): Buckets {
    let sum = 0;
    const cumulative = this.#counts.map((count) => {
      sum += count;
      return sum;
    });
    return { bounds: this.#bounds, cumulative, count: this.#count, sum: this.#sum };
  }
}
