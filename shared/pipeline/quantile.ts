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
    const runs = this.#levels.map((values) => Float64Array.from(values).sort());
    const [only] = runs;
    if (runs.length === 1 && only !== undefined) return new OrderStatistics(only);
    const sorted = new Float64Array(runs.reduce((sum, { length }) => sum + length, 0));
    const weights = new Float64Array(sorted.length);
    const heads = runs.map(() => 0);
    for (let i = 0; i < sorted.length; i++) {
      const level = lowestHead(runs, heads);
      sorted[i] = runs[level]![heads[level]!++]!;
      weights[i] = 2 ** level;
    }
    return new OrderStatistics(sorted, weights);
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

// Which of the sorted runs has the lowest value that is not taken yet.
function lowestHead(runs: readonly Float64Array[], heads: readonly number[]): number {
  let lowest = -1;
  let value = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs.length; run++) {
    const head = heads[run]!;
    if (head >= runs[run]!.length || (lowest >= 0 && runs[run]![head]! >= value)) continue;
    lowest = run;
    value = runs[run]![head]!;
  }
  return lowest;
}

/** Values in rising order, each counting once or for its weight. Nobody changes them while this is in use. */
export class OrderStatistics {
  readonly #sorted: Float64Array;
  // What the values up to each one weigh together; undefined: each weighs 1.
  readonly #upTo: Float64Array | undefined;

  constructor(sorted: Float64Array, weights?: Float64Array) {
    this.#sorted = sorted;
    let total = 0;
    this.#upTo = weights?.map((weight) => {
      total += weight;
      return total;
    });
  }

  /**
   * The value at share `p` of the way: linear between neighbours (Hyndman and Fan 1996, type 7, as NumPy). A weighted
   * value stands in the middle of the ranks it counts for.
   */
  quantile(p: number): number {
    const sorted = this.#sorted;
    if (this.#upTo === undefined) return typeSeven(sorted, p);
    const rank = p * (this.#weightUpTo(sorted.length - 1) - 1);
    const at = this.#firstWhere((i) => this.#middleRank(i) >= rank);
    if (at === 0) return sorted[0]!;
    if (at === sorted.length) return sorted[at - 1]!;
    const below = this.#middleRank(at - 1);
    return between(sorted[at - 1]!, sorted[at]!, (rank - below) / (this.#middleRank(at) - below));
  }

  /** The lowest value whose rank reaches share `p`; between two values when it falls right there (type 2). */
  atRank(p: number): number {
    const last = this.#sorted.length - 1;
    const target = p * this.#weightUpTo(last);
    const at = Math.min(
      last,
      this.#firstWhere((i) => this.#weightUpTo(i) >= target),
    );
    const isBetween = at < last && this.#weightUpTo(at) === target;
    return isBetween ? between(this.#sorted[at]!, this.#sorted[at + 1]!, 0.5) : this.#sorted[at]!;
  }

  get iqr(): number {
    return this.quantile(0.75) - this.quantile(0.25);
  }

  /** Median of the absolute deviations from the median. Unscaled: 1.4826 times it estimates a normal's std. */
  get mad(): number {
    const middle = this.quantile(0.5);
    if (this.#upTo === undefined) return medianDeviation(this.#sorted, middle);
    const deviations = this.#sorted.map((x) => Math.abs(x - middle));
    const order = Uint32Array.from(deviations, (_, i) => i).sort((a, b) => deviations[a]! - deviations[b]!);
    const weights = Float64Array.from(order, (i) => this.#weightOf(i));
    return new OrderStatistics(
      Float64Array.from(order, (i) => deviations[i]!),
      weights,
    ).quantile(0.5);
  }

  #weightUpTo(i: number): number {
    return this.#upTo === undefined ? i + 1 : this.#upTo[i]!;
  }

  #weightOf(i: number): number {
    return this.#weightUpTo(i) - (i === 0 ? 0 : this.#weightUpTo(i - 1));
  }

  #middleRank(i: number): number {
    return this.#weightUpTo(i) - (this.#weightOf(i) + 1) / 2;
  }

  // Of a condition that holds from some value on; the number of values when it never does.
  #firstWhere(holds: (i: number) => boolean): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Type 7 quantile of the first `count` values, which are in rising order. At least one. */
export function typeSeven(sorted: Float64Array, p: number, count = sorted.length): number {
  const rank = p * (count - 1);
  const below = Math.floor(rank);
  return between(sorted[below]!, sorted[Math.min(below + 1, count - 1)]!, rank - below);
}

// Exact at both ends and for equal neighbours.
function between(low: number, high: number, share: number): number {
  return low === high ? low : low * (1 - share) + high * share;
}

/**
 * Median of the deviations from `median` of the first `count` values, which are in rising order. At least one. Seen from
 * the median outwards deviations lie in order already: one walk, no second sort.
 */
export function medianDeviation(sorted: Float64Array, median: number, count = sorted.length): number {
  let left = firstAbove(sorted, median, count) - 1;
  let right = left + 1;
  const half = Math.floor(count / 2);
  let previous = 0;
  let deviation = 0;
  for (let taken = 0; taken <= half; taken++) {
    previous = deviation;
    const leftDeviation = left >= 0 ? median - sorted[left]! : Number.POSITIVE_INFINITY;
    const rightDeviation = right < count ? sorted[right]! - median : Number.POSITIVE_INFINITY;
    if (leftDeviation <= rightDeviation) {
      deviation = leftDeviation;
      left -= 1;
    } else {
      deviation = rightDeviation;
      right += 1;
    }
  }
  return count % 2 === 0 ? (previous + deviation) / 2 : deviation;
}

function firstAbove(sorted: Float64Array, value: number, count: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
