// How strongly a band of frequencies sounds from sample to sample.

import { type ComplexFft, createComplexFft } from "./complex-fft.js";
import { Memo } from "./memo.js";
import type { Samples } from "./samples.js";

const MAX_SHARED = 64;

const shared = new Memo<Envelope>(MAX_SHARED);

/** The envelope that all entities with blocks of that length have in common. */
export function sharedEnvelope(length: number): Envelope {
  return shared.get(`${length}`, () => new Envelope(length));
}

/**
 * The magnitude of the analytic signal of a band: the block's transform, cut to the band, its negative frequencies left
 * out, and back (Randall and Antoni 2011, sec. 3.4). A bearing's fault shows as peaks in the envelope's spectrum.
 */
export class Envelope {
  readonly #fft: ComplexFft;
  readonly #re: Float64Array;
  readonly #im: Float64Array;

  constructor(length: number) {
    this.#fft = createComplexFft(length);
    this.#re = new Float64Array(length);
    this.#im = new Float64Array(length);
  }

  /** Writes the envelope of bins [first, end) of `block` to `out`; 1 <= first < end <= length / 2. */
  write(
    block: Samples,
    { first, end }: { readonly first: number; readonly end: number },
    out: Samples,
  ): void {
    const re = this.#re;
    const im = this.#im;
    re.set(block);
    im.fill(0);
    this.#fft.transform(re, im);
    re.fill(0, 0, first);
    im.fill(0, 0, first);
    re.fill(0, end);
    im.fill(0, end);
    // Exchanged: the inverse, times the length.
    this.#fft.transform(im, re);
    const scale = 2 / block.length;
    for (let n = 0; n < block.length; n++) out[n] = scale * Math.sqrt(re[n]! * re[n]! + im[n]! * im[n]!);
  }
}
