// The Fourier transform of a length that is no power of two.

/** A transform of a power of two, as `ComplexFft`. */
interface Transform {
  transform(re: Float64Array, im: Float64Array): void;
}

/**
 * The transform as a convolution with a chirp, done at a power of two of at least twice the length. Bluestein 1970: k n
 * = (k^2 + n^2 - (k - n)^2) / 2.
 */
export class BluesteinFft {
  readonly length: number;
  readonly #inner: Transform;
  readonly #padded: number;
  // exp(-pi i n^2 / length), and the transform of its conjugate, wrapped around and divided by the padded length.
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #filterRe: Float64Array;
  readonly #filterIm: Float64Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;

  constructor(length: number, createInner: (padded: number) => Transform) {
    this.length = length;
    this.#padded = 2 ** Math.ceil(Math.log2(2 * length - 1));
    this.#inner = createInner(this.#padded);
    // The angle repeats every 2 length: taken modulo, the cosine keeps its digits. n^2 stays below 2^53.
    const angles = Float64Array.from({ length }, (_, n) => (-Math.PI * ((n * n) % (2 * length))) / length);
    this.#cos = angles.map(Math.cos);
    this.#sin = angles.map(Math.sin);
    this.#re = new Float64Array(this.#padded);
    this.#im = new Float64Array(this.#padded);
    this.#filterRe = new Float64Array(this.#padded);
    this.#filterIm = new Float64Array(this.#padded);
    this.#makeFilter();
  }

  /** Overwrites (re, im) with their transform. */
  transform(re: Float64Array, im: Float64Array): void {
    const ar = this.#re;
    const ai = this.#im;
    ar.fill(0, this.length);
    ai.fill(0, this.length);
    this.#timesChirp(re, im, ar, ai);
    this.#inner.transform(ar, ai);
    this.#timesFilter();
    // Exchanged: the inverse.
    this.#inner.transform(ai, ar);
    this.#timesChirp(ar, ai, re, im);
  }

  #makeFilter(): void {
    const fr = this.#filterRe;
    const fi = this.#filterIm;
    for (let n = 0; n < this.length; n++) {
      const wrapped = (this.#padded - n) % this.#padded;
      fr[n] = this.#cos[n]! / this.#padded;
      fi[n] = -this.#sin[n]! / this.#padded;
      fr[wrapped] = fr[n]!;
      fi[wrapped] = fi[n]!;
    }
    this.#inner.transform(fr, fi);
  }

  #timesChirp(re: Float64Array, im: Float64Array, toRe: Float64Array, toIm: Float64Array): void {
    for (let n = 0; n < this.length; n++) {
      const x = re[n]!;
      const y = im[n]!;
      const c = this.#cos[n]!;
      const s = this.#sin[n]!;
      toRe[n] = x * c - y * s;
      toIm[n] = x * s + y * c;
    }
  }

  #timesFilter(): void {
    const ar = this.#re;
    const ai = this.#im;
    for (let k = 0; k < this.#padded; k++) {
      const x = ar[k]!;
      const y = ai[k]!;
      const c = this.#filterRe[k]!;
      const s = this.#filterIm[k]!;
      ar[k] = x * c - y * s;
      ai[k] = x * s + y * c;
    }
  }
}
