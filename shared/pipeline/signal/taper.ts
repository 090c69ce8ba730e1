// Tapers: weights that let a block's ends fade, so that its spectrum does not leak. (Also called windows; here a window
// is a stretch of rows.)

import { unreachable } from "../../assert.js";
import { Memo } from "./memo.js";

/** The tapers there are, by the names SciPy calls them; `rect` weighs every sample alike. */
export const taperNames = ["hann", "hamming", "blackman", "rect"] as const;

export type TaperName = (typeof taperNames)[number];

const MAX_SHARED = 64;

const shared = new Memo<Float64Array>(MAX_SHARED);

/**
 * The taper's weights, periodic (as for spectra, SciPy's `fftbins=True`): the next block would start with the first. All
 * who ask for the same have one array in common: nobody writes to it.
 */
export function taperWeights(name: TaperName, length: number): Float64Array {
  return shared.get(`${name}/${length}`, () => makeWeights(name, length));
}

function makeWeights(name: TaperName, length: number): Float64Array {
  const cosine = (n: number, harmonic: number) => Math.cos((2 * Math.PI * harmonic * n) / length);
  return Float64Array.from({ length }, (_, n) => {
    switch (name) {
      case "hann":
        return 0.5 - 0.5 * cosine(n, 1);
      case "hamming":
        return 0.54 - 0.46 * cosine(n, 1);
      case "blackman":
        return 0.42 - 0.5 * cosine(n, 1) + 0.08 * cosine(n, 2);
      case "rect":
        return 1;
      default:
        return unreachable(name);
    }
  });
}
