// The values of a sliding window, in rising order.

import { medianDeviation, typeSeven } from "./quantile.js";

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

  /** At share `p` of the way: linear between neighbours (Hyndman and Fan 1996, type 7, as NumPy). At least one value. */
  quantile(p: number): number {
    return typeSeven(this.#values, p, this.#size);
  }

  /** Median of the absolute deviations from `middle`, unscaled, in time linear in the window. At least one value. */
  deviation(middle: number): number {
    return medianDeviation(this.#values, middle, this.#size);
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
