// How a block's power is spread over frequencies.

import { Memo } from "./memo.js";
import { createRealFft, type RealFft } from "./real-fft.js";
import type { Samples } from "./samples.js";
import { type TaperName, taperWeights } from "./taper.js";

/** Which spectrum of a block. */
export interface SpectrumOptions {
  /** Samples of a block. */
  readonly length: number;
  readonly taper: TaperName;
  /** Samples of one transform; shorter than the block, several half overlapping ones are averaged (Welch 1967). */
  readonly segment: number;
}

// As many vectors as one row is likely to bring: acceleration and turn rate on three axes, and their magnitudes.
const REMEMBERED_BLOCKS = 8;
const MAX_SHARED = 64;

const shared = new Memo<Spectrum>(MAX_SHARED);

/** The spectrum that all who want the same have in common, so that nobody computes a block's twice. */
export function sharedSpectrum(options: SpectrumOptions): Spectrum {
  const { length, taper, segment } = options;
  return shared.get(`${length}/${segment}/${taper}`, () => new Spectrum(options));
}

/**
 * The one-sided periodogram of blocks of one length, each segment's mean removed and its ends tapered. Bin k stands for
 * the frequency k x rate / segment; its power is density x bin width, |X|^2 / (segment x sum of w^2), doubled but for 0
 * and half the rate. The unit is the samples' squared, the sum over all bins is the variance (exactly so for `rect`).
 * As SciPy's `periodogram` and `welch` (detrend constant, scaling density) times rate / segment.
 */
export class Spectrum {
  readonly bins: number;
  readonly #options: SpectrumOptions;
  readonly #fft: RealFft;
  readonly #weights: Float64Array;
  readonly #scale: number;
  readonly #x: Float64Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  // Of the row at hand.
  readonly #results: Result[] = [];
  #row: object | undefined;
  #computed = 0;

  constructor(options: SpectrumOptions) {
    const { segment, taper } = options;
    this.#options = options;
    this.#fft = createRealFft(segment);
    this.bins = this.#fft.bins;
    this.#weights = taperWeights(taper, segment);
    const squares = this.#weights.reduce((sum, weight) => sum + weight * weight, 0);
    this.#scale = 1 / (segment * squares);
    this.#x = new Float64Array(segment);
    this.#re = new Float64Array(this.bins);
    this.#im = new Float64Array(this.bins);
  }

  /**
   * Power per bin of a block of `row`: computed once for all who ask while the row is the same. To be read at once, since
   * its place is taken by another block's later.
   */
  of(block: Samples, row: object): Float64Array {
    if (row !== this.#row) {
      this.#row = row;
      this.#computed = 0;
    }
    const known = Math.min(this.#computed, REMEMBERED_BLOCKS);
    for (let i = 0; i < known; i++) {
      const { block: other, power } = this.#results[i]!;
      if (other === block) return power;
    }
    const result = this.#place(block);
    this.#compute(block, result.power);
    return result.power;
  }

  // Where there is none left, the oldest result goes.
  #place(block: Samples): Result {
    const place = this.#computed % REMEMBERED_BLOCKS;
    this.#computed += 1;
    this.#results[place] ??= { block, power: new Float64Array(this.bins) };
    this.#results[place].block = block;
    return this.#results[place];
  }

  #compute(block: Samples, power: Float64Array): void {
    const { length, segment } = this.#options;
    const step = segment - Math.floor(segment / 2);
    power.fill(0);
    let segments = 0;
    for (let start = 0; start + segment <= length; start += step) {
      this.#load(block, start);
      this.#fft.transform(this.#x, this.#re, this.#im);
      this.#addSquares(power);
      segments += 1;
    }
    const scale = this.#scale / segments;
    for (let k = 0; k < this.bins; k++) power[k]! *= isOneSided(k, segment) ? scale : 2 * scale;
  }

  #load(block: Samples, start: number): void {
    const { segment } = this.#options;
    let sum = 0;
    for (let n = 0; n < segment; n++) sum += block[start + n]!;
    const mean = sum / segment;
    for (let n = 0; n < segment; n++) this.#x[n] = (block[start + n]! - mean) * this.#weights[n]!;
  }

  #addSquares(power: Float64Array): void {
    const re = this.#re;
    const im = this.#im;
    for (let k = 0; k < this.bins; k++) power[k]! += re[k]! * re[k]! + im[k]! * im[k]!;
  }
}

interface Result {
  block: Samples;
  readonly power: Float64Array;
}

// 0 and half the rate have no mirror image.
function isOneSided(bin: number, segment: number): boolean {
  return bin === 0 || 2 * bin === segment;
}
