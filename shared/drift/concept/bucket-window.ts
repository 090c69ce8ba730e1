// Numbers in the order they came, in buckets whose sizes double with age: memory logarithmic in their number.

import { assert } from "../../assert.js";

/** One part of a window. */
export interface Part {
  readonly count: number;
  readonly mean: number;
}

/** A window as `save` gave it: totals and sums of squared deviations by row of buckets, then its own. */
export type SavedWindow = readonly [readonly Float64Array[], readonly Float64Array[], readonly number[]];

/**
 * An exponential histogram (Datar et al. 2002) that also knows variances (Babcock et al. 2003). Row h holds up to `perRow`
 * buckets of 2^h numbers each, the oldest first; one more, and the two oldest become one of the next row.
 */
export class BucketWindow {
  readonly #perRow: number;
  #totals: number[][] = [[]];
  // Of each bucket, the sum of squared deviations from its mean.
  #squares: number[][] = [[]];
  #width = 0;
  #total = 0;
  #square = 0;

  constructor(perRow: number) {
    this.#perRow = perRow;
  }

  /** Numbers in the window. */
  get width(): number {
    return this.#width;
  }

  /** Divided by the count. */
  get variance(): number {
    return Math.max(0, this.#square / this.#width);
  }

  add(x: number): void {
    this.#totals[0]!.push(x);
    this.#squares[0]!.push(0);
    if (this.#width > 0) {
      const deviation = x - this.#total / this.#width;
      this.#square += (this.#width * deviation * deviation) / (this.#width + 1);
    }
    this.#width += 1;
    this.#total += x;
    this.#compress();
  }

  /**
   * Walks the places where the window can be cut, from the oldest bucket on, until `isCut` says so of the two parts. Recent
   * mean less old mean there; 0 when it never does.
   */
  firstCut(isCut: (old: Part, recent: Part) => boolean): number {
    let count = 0;
    let total = 0;
    for (let row = this.#totals.length - 1; row >= 0; row--) {
      for (const bucket of this.#totals[row]!) {
        count += 2 ** row;
        total += bucket;
        const rest = this.#width - count;
        if (rest === 0) return 0;
        const old = { count, mean: total / count };
        const recent = { count: rest, mean: (this.#total - total) / rest };
        if (isCut(old, recent)) return recent.mean - old.mean;
      }
    }
    return 0;
  }

  /** Forgets the oldest bucket. There must be another. */
  dropOldest(): void {
    const row = this.#totals.length - 1;
    const total = this.#totals[row]!.shift();
    const square = this.#squares[row]!.shift();
    assert(total !== undefined && square !== undefined, "the last row of buckets is never empty");
    const count = 2 ** row;
    this.#width -= count;
    this.#total -= total;
    const gap = total / count - this.#total / this.#width;
    this.#square -= square + (count * this.#width * gap * gap) / (count + this.#width);
    while (this.#totals.length > 1 && this.#totals.at(-1)!.length === 0) {
      this.#totals.pop();
      this.#squares.pop();
    }
  }

  clear(): void {
    this.#totals = [[]];
    this.#squares = [[]];
    this.#width = 0;
    this.#total = 0;
    this.#square = 0;
  }

  save(): SavedWindow {
    const asFloats = (rows: number[][]) => rows.map((row) => Float64Array.from(row));
    return [asFloats(this.#totals), asFloats(this.#squares), [this.#width, this.#total, this.#square]];
  }

  restore([totals, squares, [width, total, square]]: SavedWindow): void {
    this.#totals = totals.map((row) => [...row]);
    this.#squares = squares.map((row) => [...row]);
    this.#width = width!;
    this.#total = total!;
    this.#square = square!;
  }

  #compress(): void {
    for (let row = 0; this.#totals[row]!.length > this.#perRow; row++) {
      const [first, second] = this.#totals[row]!.splice(0, 2);
      const [firstSquare, secondSquare] = this.#squares[row]!.splice(0, 2);
      const size = 2 ** row;
      const gap = (first! - second!) / size;
      if (row + 1 === this.#totals.length) {
        this.#totals.push([]);
        this.#squares.push([]);
      }
      this.#totals[row + 1]!.push(first! + second!);
      this.#squares[row + 1]!.push(firstSquare! + secondSquare! + (size * gap * gap) / 2);
    }
  }
}
