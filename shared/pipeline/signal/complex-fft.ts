// The discrete Fourier transform of complex numbers, of any length.

import { assert } from "../../assert.js";
import { BluesteinFft } from "./bluestein-fft.js";
import { Radix4Fft } from "./radix4-fft.js";

/** A transform of one length, with its tables and workspace. Not for use within itself, nor by two threads. */
export interface ComplexFft {
  readonly length: number;
  /**
   * Overwrites the first `length` x with X[k] = sum of x[n] exp(-2 pi i k n / length). With `re` and `im` exchanged it is
   * the inverse, times the length.
   */
  transform(re: Float64Array, im: Float64Array): void;
}

/** Powers of two directly, other lengths (up to some 5 times slower) by way of a convolution. */
export function createComplexFft(length: number): ComplexFft {
  assert(Number.isInteger(length) && length >= 1, `a transform has a length of at least 1, not ${length}`);
  return isPowerOfTwo(length)
    ? new Radix4Fft(length)
    : new BluesteinFft(length, (padded) => new Radix4Fft(padded));
}

function isPowerOfTwo(length: number): boolean {
  return (length & (length - 1)) === 0;
}
