// detrend: a block without its level, or without its level and slope.

import { z } from "zod";
import { removeLine, removeMean } from "../signal/trend.js";
import { MemorylessTransform, vectorParams, vectorStep } from "./vector-step.js";

const params = z.strictObject({
  ...vectorParams,
  kind: z.enum(["mean", "linear"]).prefault("mean").describe("The mean, or the line of least squares."),
});

type Params = z.output<typeof params>;

/** Each block minus its own mean or line; blocks know nothing of each other. */
export const detrend = vectorStep<Params>({
  name: "detrend",
  doc: "Blocks without their mean, or without the line of least squares: {of: vector or vectors, kind: mean or linear, as}.",
  example: { params: { of: "a", kind: "linear" }, vectors: { a: 16 } },
  params,
  output: (_params, field) => field,
  create: ({ kind }) => new Detrend(kind === "mean" ? removeMean : removeLine),
  stateBytes: () => 0,
});

class Detrend extends MemorylessTransform {
  readonly #remove: (block: Float32Array) => void;

  constructor(remove: (block: Float32Array) => void) {
    super();
    this.#remove = remove;
  }

  run(block: Float32Array): Float32Array {
    const out = block.slice();
    this.#remove(out);
    return out;
  }
}
