// decimate: fewer samples a second.

import { z } from "zod";
import { BlockFilter } from "../signal/block-filter.js";
import { butterworth, type Section } from "../signal/butterworth.js";
import type { Saved } from "../state.js";
import { jitterParam } from "./filter.js";
import { type Field, OperatorError } from "./port.js";
import { type BlockTransform, vectorParams, vectorStep } from "./vector-step.js";
import { rateOf, rateParam } from "./vectors.js";

// What lies at half the new rate is 37 dB down at least: 20 log10(1 / 0.7) x 12.
const ORDER = 12;
const SHARE_OF_NEW_HALF = 0.7;
const STATE_BYTES = 16 + 16 * (ORDER / 2);

const params = z.strictObject({
  ...vectorParams,
  by: z.int().min(2).max(1000).describe("Every so-manieth sample stays, the first one among them."),
  rate: rateParam,
  jitter: jitterParam,
});

type Params = z.output<typeof params>;

/**
 * Every `by`-th sample after a low pass at 0.7 of half the new rate: what the lower rate cannot hold is damped by 37 dB or
 * more. Causal and across blocks like `filter`; gaps are counted as `decimate.gap`.
 */
export const decimate = vectorStep<Params>({
  name: "decimate",
  doc: "Fewer samples a second: {of: vector or vectors, by: 4, rate: 3200Hz, jitter, as}. A low pass takes out what the lower rate cannot hold.",
  example: { params: { of: "a", by: 4, rate: "16Hz" }, vectors: { a: 32 } },
  params,
  output(params, field) {
    const length = field.length / params.by;
    if (!Number.isInteger(length) || length < 2) {
      throw new OperatorError(
        ["by"],
        `expected a divisor of the ${field.length} samples of "${field.name}" that leaves at least 2, not ${params.by}`,
      );
    }
    return { length, rateHz: rateOf(params.rate, field) / params.by };
  },
  create: (params, field, { counters }) => {
    const rateHz = rateOf(params.rate, field);
    const stream = { length: field.length, rateHz, jitterMs: params.jitter };
    const sections = sectionsOf(params, rateHz);
    const filter = new BlockFilter({ sections, stream, counters, gapCounter: "decimate.gap" });
    return new Decimate(filter, params.by, field);
  },
  stateBytes: () => STATE_BYTES,
});

function sectionsOf({ by }: Params, rateHz: number): readonly Section[] {
  const cutoffHz = (SHARE_OF_NEW_HALF * rateHz) / by / 2;
  return butterworth({ pass: { kind: "lowpass", cutoffHz }, order: ORDER, rateHz });
}

class Decimate implements BlockTransform {
  readonly #filter: BlockFilter;
  readonly #by: number;
  readonly #length: number;

  constructor(filter: BlockFilter, by: number, { length }: Field) {
    this.#filter = filter;
    this.#by = by;
    this.#length = length / by;
  }

  run(block: Float32Array, timeMs: number): Float32Array {
    const filtered = this.#filter.run(block, timeMs);
    const out = new Float32Array(this.#length);
    for (let n = 0; n < out.length; n++) out[n] = filtered[n * this.#by]!;
    return out;
  }

  save(): Saved {
    return this.#filter.save();
  }

  restore(saved: Saved): void {
    this.#filter.restore(saved);
  }
}
