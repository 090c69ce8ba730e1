// taper: a block whose ends fade.

import { z } from "zod";
import { taperNames, taperWeights } from "../signal/taper.js";
import { MemorylessTransform, vectorParams, vectorStep } from "./vector-step.js";

const params = z.strictObject({
  ...vectorParams,
  window: z.enum(taperNames).prefault("hann").describe("How the ends fade."),
});

type Params = z.output<typeof params>;

/** Each block times its weights. Operators on spectra fade their blocks themselves: with `window: rect` they do not. */
export const taper = vectorStep<Params>({
  name: "taper",
  doc: "Blocks whose ends fade: {of: vector or vectors, window: hann, hamming, blackman or rect, as}. bands, spectrum and fft do so themselves.",
  example: { params: { of: "a", window: "hann" }, vectors: { a: 16 } },
  params,
  output: (_params, field) => field,
  create: ({ window }, { length }) => new Taper(taperWeights(window, length)),
  stateBytes: () => 0,
});

class Taper extends MemorylessTransform {
  readonly #weights: Float64Array;

  constructor(weights: Float64Array) {
    super();
    this.#weights = weights;
  }

  run(block: Float32Array): Float32Array {
    return block.map((x, n) => x * this.#weights[n]!);
  }
}
