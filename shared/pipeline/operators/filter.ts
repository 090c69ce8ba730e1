// filter: only some frequencies pass.

import { z } from "zod";
import { durationMs, formatFrequency, frequencyHz } from "../../task/units.js";
import { BlockFilter } from "../signal/block-filter.js";
import { butterworth, type PassBand } from "../signal/butterworth.js";
import type { Saved } from "../state.js";
import { OperatorError } from "./port.js";
import { type BlockTransform, vectorParams, vectorStep } from "./vector-step.js";
import { rateOf, rateParam } from "./vectors.js";

// Below it the sections' float64 coefficients lose the digits that make them a filter.
const LEAST_SHARE_OF_RATE = 1e-5;
// Two numbers of state per second-order section, and the time of the last block's end.
const BYTES_PER_SECTION = 16;
const BYTES_PER_STREAM = 16;

/** How far a block's time may be off before the samples between count as missing. */
export const jitterParam = durationMs
  .optional()
  .describe(
    "How far a block's time may be off from where the last one ended. Default: 5% of a block, at least a sample.",
  );

const params = z
  .strictObject({
    ...vectorParams,
    lowpass: frequencyHz.optional().describe("What is slower passes."),
    highpass: frequencyHz.optional().describe("What is faster passes."),
    band: z.tuple([frequencyHz, frequencyHz]).optional().describe("What lies between passes: [10Hz, 1kHz]."),
    order: z.int().min(1).max(8).prefault(4).describe("How steeply it falls: 6 dB an octave each."),
    rate: rateParam,
    jitter: jitterParam,
  })
  .refine(
    ({ lowpass, highpass, band }) => [lowpass, highpass, band].filter((x) => x !== undefined).length === 1,
    {
      error: 'expected exactly one of "lowpass", "highpass" or "band"',
    },
  )
  .refine(({ band }) => band === undefined || band[0] < band[1], {
    error: "expected rising frequencies",
    path: ["band"],
  });

type Params = z.output<typeof params>;

/**
 * A causal Butterworth filter: half the power passes at its edges, and each block goes on where the last one ended, so
 * that frequencies far slower than a block can be told apart. It lags behind its input. Where samples are missing, it
 * starts anew (counted as `filter.gap`), as if the first sample had been there for ever.
 */
export const filter = vectorStep<Params>({
  name: "filter",
  doc: "Butterworth filter over successive blocks: {of: vector or vectors, lowpass: 3Hz or highpass: 10Hz or band: [10Hz, 1kHz], order: 4, rate: 3200Hz, jitter, as}.",
  example: { params: { of: "a", lowpass: "2Hz", order: 3, rate: "16Hz", as: "slow" }, vectors: { a: 16 } },
  params,
  output(params, field) {
    const rateHz = rateOf(params.rate, field);
    checkEdges(params, rateHz);
    return { length: field.length, rateHz };
  },
  create(params, field, { counters }) {
    const rateHz = rateOf(params.rate, field);
    const sections = butterworth({ pass: passOf(params), order: params.order, rateHz });
    const stream = { length: field.length, rateHz, jitterMs: params.jitter };
    return new Filter(new BlockFilter({ sections, stream, counters, gapCounter: "filter.gap" }));
  },
  stateBytes: ({ order, band }) =>
    BYTES_PER_STREAM + BYTES_PER_SECTION * (band === undefined ? Math.ceil(order / 2) : order),
});

function passOf({ lowpass, highpass, band }: Params): PassBand {
  if (lowpass !== undefined) return { kind: "lowpass", cutoffHz: lowpass };
  if (highpass !== undefined) return { kind: "highpass", cutoffHz: highpass };
  const [lowHz = 0, highHz = 0] = band ?? []; // the schema lets nothing else through
  return { kind: "band", lowHz, highHz };
}

function checkEdges({ lowpass, highpass, band }: Params, rateHz: number): void {
  checkEdge(lowpass, rateHz, ["lowpass"]);
  checkEdge(highpass, rateHz, ["highpass"]);
  checkEdge(band?.[0], rateHz, ["band", 0]);
  checkEdge(band?.[1], rateHz, ["band", 1]);
}

function checkEdge(hz: number | undefined, rateHz: number, path: readonly (string | number)[]): void {
  if (hz === undefined) return;
  const limits = { low: rateHz * LEAST_SHARE_OF_RATE, high: rateHz / 2 };
  if (hz >= limits.low && hz < limits.high) return;
  throw new OperatorError(
    path,
    `expected a frequency from ${formatFrequency(limits.low)} to below ${formatFrequency(limits.high)}, half the rate, not ${formatFrequency(hz)}`,
  );
}

class Filter implements BlockTransform {
  readonly #filter: BlockFilter;

  constructor(filter: BlockFilter) {
    this.#filter = filter;
  }

  run(block: Float32Array, timeMs: number): Float32Array {
    return new Float32Array(this.#filter.run(block, timeMs));
  }

  save(): Saved {
    return this.#filter.save();
  }

  restore(saved: Saved): void {
    this.#filter.restore(saved);
  }
}
