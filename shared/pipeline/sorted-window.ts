// The values of a sliding window, in rising order.

/** Values in order, one in, one out. A step costs a search and one move of memory: fast while there are some thousands. */
export class SortedWindow {
  #values = new Float64Array(16);
  #size = 0;

  add(x: number): void {
    if (this.#size === this.#values.length) this.#grow();
    const at = this.#placeOf(x);
    this.#values.copyWithin(at + 1, at, this.#size);
    this.#values[at] = x;
    this.#size += 1;
  }

  /** Removes a value that was added. */
  remove(x: number): void {
    const at = this.#placeOf(x);
    this.#values.copyWithin(at, at + 1, this.#size);
    this.#size -= 1;
  }

  get size(): number {
    return this.#size;
  }

  /** Takes `values` instead of what was there; NaN, a missing value, is left out. */
  fill(values: Float64Array): void {
    const present = values.filter((x) => !Number.isNaN(x)).sort();
    while (this.#values.length < present.length) this.#grow();
    this.#values.set(present);
    this.#size = present.length;
  }

  /** At share `p` of the way: linear between neighbours (Hyndman and Fan 1996, type 7, as NumPy). NaN when empty. */
  quantile(p: number): number {
    const rank = p * (this.#size - 1);
    const below = Math.floor(rank);
    const low = this.#values[below]!;
    const high = this.#values[Math.min(below + 1, this.#size - 1)]!;
    const share = rank - below;
    if (this.#size === 0) return Number.NaN;
    return low === high ? low : low * (1 - share) + high * share;
  }

  /** Median of the absolute deviations from `middle`, unscaled, in time linear in the window. NaN when empty. */
  deviation(middle: number): number {
    // Deviations grow to both sides of the middle: of the next two, the smaller one comes first.
    let above = this.#placeOf(middle);
    let below = above - 1;
    let last = Number.NaN;
    let before = Number.NaN;
    for (let taken = 0; taken <= this.#size >> 1 && taken < this.#size; taken++) {
      const up = above < this.#size ? this.#values[above]! - middle : Number.POSITIVE_INFINITY;
      const down = below >= 0 ? middle - this.#values[below]! : Number.POSITIVE_INFINITY;
      before = last;
      last = Math.min(up, down);
      if (up <= down) above += 1;
      else below -= 1;
    }
    return this.#size % 2 === 1 ? last : (before + last) / 2;
  }

  get iqr(): number {
    return this.quantile(0.75) - this.quantile(0.25);
  }

  get mad(): number {
    return this.deviation(this.quantile(0.5));
  }

  // Of the first value that is not below `x`.
  #placeOf(x: number): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#values[middle]! < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    const values = new Float64Array(2 * this.#values.length);
    values.set(this.#values);
    this.#values = values;
  }
}
