// What is left to transfer of a blob, cut into parts only when one is taken, so that the size can follow the link.

import type { ByteRange } from "./chunk.js";

/** Ranges of a blob in the order they were given. */
export class RangeQueue {
  readonly #ranges: ByteRange[];

  /** `ranges` of a blob of `total` bytes; what lies beyond it is dropped. */
  constructor(total: number, ranges: readonly ByteRange[]) {
    this.#ranges = ranges
      .map(([offset, length]): ByteRange => [offset, Math.min(offset + length, total) - offset])
      .filter(([, length]) => length > 0);
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** The next part, of at most `maxBytes`; undefined when nothing is left. */
  take(maxBytes: number): ByteRange | undefined {
    const first = this.#ranges[0];
    if (first === undefined) return undefined;
    const [offset, length] = first;
    const taken = Math.min(length, maxBytes);
    if (taken === length) this.#ranges.shift();
    else this.#ranges[0] = [offset + taken, length - taken];
    return [offset, taken];
  }

  /** Puts a part back: it is the next to be taken. */
  putBack(range: ByteRange): void {
    this.#ranges.unshift(range);
  }
}
