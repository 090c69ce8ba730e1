// The fast Fourier transform of a power of two.

/**
 * Stockham's self-sorting form (Cochran et al. 1967), four at a time, with a last pass of two where the power is odd: no
 * bit reversal, and every pass reads and writes in order. Van Loan 1992, sec. 1.7 and 2.4.
 */
export class Radix4Fft {
  readonly length: number;
  // exp(-2 pi i k / length) for the first three quarters of the circle: all that radix 4 asks for.
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;

  constructor(length: number) {
    this.length = length;
    const angles = Float64Array.from({ length }, (_, k) => (-2 * Math.PI * k) / length);
    this.#cos = angles.map(Math.cos);
    this.#sin = angles.map(Math.sin);
    this.#re = new Float64Array(length);
    this.#im = new Float64Array(length);
  }

  /** Overwrites (re, im) with their transform. */
  transform(re: Float64Array, im: Float64Array): void {
    let from = { re, im };
    let to = { re: this.#re, im: this.#im };
    let groups = 1;
    for (; groups * 4 <= this.length; groups *= 4) {
      this.#fours(groups, from, to);
      [from, to] = [to, from];
    }
    if (groups < this.length) {
      twos(groups, from, to);
      [from, to] = [to, from];
    }
    if (from.re === re) return;
    re.set(from.re);
    im.set(from.im);
  }

  // `groups` transforms lie interleaved; each becomes four of a quarter of its length.
  #fours(groups: number, from: Complex, to: Complex): void {
    const { re: xr, im: xi } = from;
    const { re: yr, im: yi } = to;
    const cos = this.#cos;
    const sin = this.#sin;
    const quarter = this.length / 4;
    for (let start = 0; start < quarter; start += groups) {
      const c1 = cos[start]!;
      const s1 = sin[start]!;
      const c2 = cos[2 * start]!;
      const s2 = sin[2 * start]!;
      const c3 = cos[3 * start]!;
      const s3 = sin[3 * start]!;
      const target = 4 * start;
      for (let q = 0; q < groups; q++) {
        const i = start + q;
        const sumAcRe = xr[i]! + xr[i + 2 * quarter]!;
        const sumAcIm = xi[i]! + xi[i + 2 * quarter]!;
        const difAcRe = xr[i]! - xr[i + 2 * quarter]!;
        const difAcIm = xi[i]! - xi[i + 2 * quarter]!;
        const sumBdRe = xr[i + quarter]! + xr[i + 3 * quarter]!;
        const sumBdIm = xi[i + quarter]! + xi[i + 3 * quarter]!;
        // Times i.
        const turnBdRe = xi[i + 3 * quarter]! - xi[i + quarter]!;
        const turnBdIm = xr[i + quarter]! - xr[i + 3 * quarter]!;
        const o = target + q;
        yr[o] = sumAcRe + sumBdRe;
        yi[o] = sumAcIm + sumBdIm;
        const oneRe = difAcRe - turnBdRe;
        const oneIm = difAcIm - turnBdIm;
        yr[o + groups] = oneRe * c1 - oneIm * s1;
        yi[o + groups] = oneRe * s1 + oneIm * c1;
        const twoRe = sumAcRe - sumBdRe;
        const twoIm = sumAcIm - sumBdIm;
        yr[o + 2 * groups] = twoRe * c2 - twoIm * s2;
        yi[o + 2 * groups] = twoRe * s2 + twoIm * c2;
        const threeRe = difAcRe + turnBdRe;
        const threeIm = difAcIm + turnBdIm;
        yr[o + 3 * groups] = threeRe * c3 - threeIm * s3;
        yi[o + 3 * groups] = threeRe * s3 + threeIm * c3;
      }
    }
  }
}

interface Complex {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

function twos(half: number, { re: xr, im: xi }: Complex, { re: yr, im: yi }: Complex): void {
  for (let q = 0; q < half; q++) {
    const ar = xr[q]!;
    const ai = xi[q]!;
    const br = xr[q + half]!;
    const bi = xi[q + half]!;
    yr[q] = ar + br;
    yi[q] = ai + bi;
    yr[q + half] = ar - br;
    yi[q + half] = ai - bi;
  }
}
