// Which bytes are there, as ranges that neither overlap nor touch.

import type { ByteRange } from "../../shared/wire/chunk.js";

/** A set of bytes. */
export class RangeSet {
  #ranges: [offset: number, length: number][] = [];
  #total = 0;

  /** Ascending. */
  get ranges(): readonly ByteRange[] {
    return this.#ranges;
  }

  /** Bytes in the set. */
  get total(): number {
    return this.#total;
  }

  overlaps(offset: number, length: number): boolean {
    const before = this.#ranges[this.#countUpTo(offset + length - 1) - 1];
    return length > 0 && before !== undefined && before[0] + before[1] > offset;
  }

  /** Adds bytes, none of which is there. */
  add(offset: number, length: number): void {
    const at = this.#countUpTo(offset);
    const before = this.#ranges[at - 1];
    const after = this.#ranges[at];
    const joinsBefore = before !== undefined && before[0] + before[1] === offset;
    const joinsAfter = after !== undefined && offset + length === after[0];
    const start = joinsBefore ? before[0] : offset;
    const end = joinsAfter ? after[0] + after[1] : offset + length;
    this.#ranges.splice(joinsBefore ? at - 1 : at, Number(joinsBefore) + Number(joinsAfter), [
      start,
      end - start,
    ]);
    this.#total += length;
  }

  copy(): RangeSet {
    const copy = new RangeSet();
    copy.#ranges = this.#ranges.map(([offset, length]) => [offset, length]);
    copy.#total = this.#total;
    return copy;
  }

  /** How many ranges start at or before `offset`. */
  #countUpTo(offset: number): number {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ranges[middle]![0] <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
