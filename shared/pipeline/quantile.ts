// Order statistics: exact while values are few, within a stated error when they are many.

import type { Saved, Stateful } from "./state.js";

/** Values kept per level. As many are exact; memory grows by as many per doubling beyond. Even. */
export const EXACT_VALUES = 2_048;

/**
 * Values seen one by one, for quantiles. Exact up to `EXACT_VALUES`. Beyond, a full level is sorted and every other value
 * moves up a level, where it counts for two (Munro and Paterson 1980; Manku, Rajagopalan and Lindsay 1998). Which half
 * moves alternates, so no chance is involved. Each such step shifts a rank by one weight at most: with L levels a quantile's
 * rank is off by at most (L + 1) / EXACT_VALUES of the count: 0.5 % at a million values (measured at most 0.05 %).
 */
export class QuantileSketch implements Stateful {
  // Values of level h stand for 2^h each.
  #levels: number[][] = [[]];
  // Which half of a level moves up next: 0 or 1.
  #turns: number[] = [0];

  /** Values seen. */
  get count(): number {
    return this.#levels.reduce((sum, values, level) => sum + values.length * 2 ** level, 0);
  }

  add(x: number): void {
    this.#addAt(0, x);
  }

  /** Adds what `other` has seen, in its order. */
  merge(other: QuantileSketch): void {
    other.#levels.forEach((values, level) => {
      for (const x of values) this.#addAt(level, x);
    });
  }

  reset(): void {
    this.#levels = [[]];
    this.#turns = [0];
  }

  /** What was seen, in order: valid until the next change. At least one value. */
  read(): OrderStatistics {
    const [all] = this.#levels;
    if (this.#levels.length === 1 && all !== undefined)
      return new OrderStatistics(Float64Array.from(all).sort());
    return weighted(this.#levels.flatMap((values, level) => values.map((x) => ({ x, weight: 2 ** level }))));
  }

  save(): Saved {
    const saved: SavedSketch = {
      levels: this.#levels.map((values) => Float64Array.from(values)),
      turns: this.#turns,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { levels, turns } = saved as SavedSketch; // as `save` made it
    this.#levels = levels.map((values) => [...values]);
    this.#turns = [...turns];
  }

  #addAt(level: number, x: number): void {
    while (this.#levels.length <= level) {
      this.#levels.push([]);
      this.#turns.push(0);
    }
    const values = this.#levels[level]!;
    if (values.length >= EXACT_VALUES) this.#halve(level);
    values.push(x);
  }

  // Of each pair of neighbours one moves up, and counts for both.
  #halve(level: number): void {
    const values = this.#levels[level]!;
    const sorted = Float64Array.from(values).sort();
    values.length = 0;
    const turn = this.#turns[level]!;
    this.#turns[level] = 1 - turn;
    for (let i = turn; i < sorted.length; i += 2) this.#addAt(level + 1, sorted[i]!);
  }
}

interface SavedSketch {
  readonly levels: readonly Float64Array[];
  readonly turns: readonly number[];
}

/** Values in rising order, each counting once or for its weight. Nobody changes them while this is in use. */
export class OrderStatistics {
  readonly #sorted: Float64Array;
  readonly #weights: Float64Array | undefined;

  constructor(sorted: Float64Array, weights?: Float64Array) {
    this.#sorted = sorted;
    this.#weights = weights;
  }

  /**
   * The value at share `p` of the way: linear between neighbours (Hyndman and Fan 1996, type 7, as NumPy). A weighted
   * value stands in the middle of the ranks it counts for.
   */
  quantile(p: number): number {
    return this.#weights === undefined
      ? typeSeven(this.#sorted, p)
      : typeSevenWeighted(this.#sorted, this.#weights, p);
  }

  /** The lowest value whose rank reaches share `p`; between two values when it falls right there (type 2). */
  atRank(p: number): number {
    const weights = this.#weights;
    const target = p * (weights === undefined ? this.#sorted.length : totalOf(weights));
    const last = this.#sorted.length - 1;
    let rank = 0;
    for (let i = 0; i < last; i++) {
      rank += weights === undefined ? 1 : weights[i]!;
      if (rank === target) return between(this.#sorted[i]!, this.#sorted[i + 1]!, 0.5);
      if (rank > target) return this.#sorted[i]!;
    }
    return this.#sorted[last]!;
  }

  get iqr(): number {
    return this.quantile(0.75) - this.quantile(0.25);
  }

  /** Median of the absolute deviations from the median. Unscaled: 1.4826 times it estimates a normal's std. */
  get mad(): number {
    const middle = this.quantile(0.5);
    const weights = this.#weights;
    const deviations = this.#sorted.map((x) => Math.abs(x - middle));
    if (weights === undefined) return new OrderStatistics(deviations.sort()).quantile(0.5);
    return weighted(Array.from(deviations, (x, i) => ({ x, weight: weights[i]! }))).quantile(0.5);
  }
}

interface WeightedValue {
  readonly x: number;
  readonly weight: number;
}

function weighted(values: WeightedValue[]): OrderStatistics {
  values.sort((a, b) => a.x - b.x);
  return new OrderStatistics(
    Float64Array.from(values, ({ x }) => x),
    Float64Array.from(values, ({ weight }) => weight),
  );
}

function typeSeven(sorted: Float64Array, p: number): number {
  const rank = p * (sorted.length - 1);
  const below = Math.floor(rank);
  return between(sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!, rank - below);
}

function typeSevenWeighted(sorted: Float64Array, weights: Float64Array, p: number): number {
  const rank = p * (totalOf(weights) - 1);
  let first = 0;
  let below = { x: sorted[0]!, rank: 0 };
  for (let i = 0; i < sorted.length; i++) {
    const at = { x: sorted[i]!, rank: first + (weights[i]! - 1) / 2 };
    if (at.rank >= rank) {
      const span = at.rank - below.rank;
      return span === 0 ? at.x : between(below.x, at.x, (rank - below.rank) / span);
    }
    below = at;
    first += weights[i]!;
  }
  return below.x;
}

function totalOf(weights: Float64Array): number {
  return weights.reduce((sum, weight) => sum + weight, 0);
}

// Exact at both ends and for equal neighbours.
function between(low: number, high: number, share: number): number {
  return low === high ? low : low * (1 - share) + high * share;
}
