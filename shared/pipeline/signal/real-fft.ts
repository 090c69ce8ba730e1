// The Fourier transform of real samples: half the work of a complex one.

import { type ComplexFft, createComplexFft } from "./complex-fft.js";

/** A transform of one length, with its tables and workspace. */
export interface RealFft {
  readonly length: number;
  /** Frequencies from 0 to half the rate: floor(length / 2) + 1. */
  readonly bins: number;
  /** Writes X[k] = sum of x[n] exp(-2 pi i k n / length) for the first `bins` k. */
  transform(x: Float64Array, re: Float64Array, im: Float64Array): void;
}

/** A transform of samples of `length`, 2 or more. Even lengths are the fast ones, powers of two the fastest. */
export function createRealFft(length: number): RealFft {
  return length % 2 === 0 ? new EvenFft(length) : new OddFft(length);
}

/** Even samples as real parts, odd ones as imaginary parts, then taken apart (Press et al. 2007, sec. 12.3.2). */
class EvenFft implements RealFft {
  readonly length: number;
  readonly bins: number;
  readonly #half: ComplexFft;
  // exp(-2 pi i k / length)
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;

  constructor(length: number) {
    this.length = length;
    this.bins = length / 2 + 1;
    this.#half = createComplexFft(length / 2);
    const angles = Float64Array.from({ length: this.bins }, (_, k) => (-2 * Math.PI * k) / length);
    this.#cos = angles.map(Math.cos);
    this.#sin = angles.map(Math.sin);
  }

  transform(x: Float64Array, re: Float64Array, im: Float64Array): void {
    const half = this.length / 2;
    for (let n = 0; n < half; n++) {
      re[n] = x[2 * n]!;
      im[n] = x[2 * n + 1]!;
    }
    this.#half.transform(re, im);
    this.#takeApart(re, im);
  }

  // In place: bins k and half - k need just each other.
  #takeApart(re: Float64Array, im: Float64Array): void {
    const half = this.length / 2;
    const first = re[0]!;
    const firstIm = im[0]!;
    re[half] = first - firstIm;
    im[half] = 0;
    re[0] = first + firstIm;
    im[0] = 0;
    for (let k = 1, m = half - 1; k <= m; k++, m--) {
      const evenRe = (re[k]! + re[m]!) / 2;
      const evenIm = (im[k]! - im[m]!) / 2;
      const oddRe = (im[k]! + im[m]!) / 2;
      const oddIm = (re[m]! - re[k]!) / 2;
      const c = this.#cos[k]!;
      const s = this.#sin[k]!;
      const turnedRe = oddRe * c - oddIm * s;
      const turnedIm = oddRe * s + oddIm * c;
      re[k] = evenRe + turnedRe;
      im[k] = evenIm + turnedIm;
      re[m] = evenRe - turnedRe;
      im[m] = turnedIm - evenIm;
    }
  }
}

class OddFft implements RealFft {
  readonly length: number;
  readonly bins: number;
  readonly #whole: ComplexFft;
  readonly #re: Float64Array;
  readonly #im: Float64Array;

  constructor(length: number) {
    this.length = length;
    this.bins = (length + 1) / 2;
    this.#whole = createComplexFft(length);
    this.#re = new Float64Array(length);
    this.#im = new Float64Array(length);
  }

  transform(x: Float64Array, re: Float64Array, im: Float64Array): void {
    this.#re.set(x);
    this.#im.fill(0);
    this.#whole.transform(this.#re, this.#im);
    for (let k = 0; k < this.bins; k++) {
      re[k] = this.#re[k]!;
      im[k] = this.#im[k]!;
    }
  }
}
