// The values of a sliding window, in rising order.

import { OrderStatistics } from "./quantile.js";

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

  /** What is in the window: at least one value. Valid until the next change. */
  read(): OrderStatistics {
    return new OrderStatistics(this.#values.subarray(0, this.#size));
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
    const values = new Float64Array(2 * this.#size);
    values.set(this.#values);
    this.#values = values;
  }
}
