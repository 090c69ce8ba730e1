// envelope: how strongly a band sounds, sample by sample. Bearing faults show in its spectrum.

import { z } from "zod";
import { frequencyHz } from "../../task/units.js";
import { type Envelope, sharedEnvelope } from "../signal/envelope.js";
import { type Field, OperatorError } from "./port.js";
import { binAt } from "./spectral.js";
import { MemorylessTransform, vectorParams, vectorStep } from "./vector-step.js";
import { checkBelowHalf, rateOf, rateParam } from "./vectors.js";

const params = z.strictObject({
  ...vectorParams,
  band: z.tuple([frequencyHz, frequencyHz]).describe("The band that carries it: [2kHz, 4kHz]."),
  rate: rateParam,
});

type Params = z.output<typeof params>;

/** The magnitude of the band's analytic signal, in the samples' unit: `Envelope`. */
export const envelope = vectorStep<Params>({
  name: "envelope",
  doc: "How strongly a band of frequencies sounds, sample by sample: {of: vector or vectors, band: [2kHz, 4kHz], rate: 12kHz, as}. Its spectrum shows the faults of bearings.",
  example: { params: { of: "a", band: ["2Hz", "6Hz"], rate: "16Hz", as: "env" }, vectors: { a: 32 } },
  params,
  output(params, field) {
    binsOf(params, field);
    return { length: field.length, rateHz: rateOf(params.rate, field) };
  },
  create: (params, field) => new BandEnvelope(sharedEnvelope(field.length), binsOf(params, field)),
  stateBytes: () => 0,
});

interface Bins {
  readonly first: number;
  readonly end: number;
}

// From the lower edge up to, not including, the upper one; neither 0 nor half the rate has an analytic signal.
function binsOf({ band: [lowHz, highHz], rate }: Params, field: Field): Bins {
  const rateHz = rateOf(rate, field);
  checkBelowHalf(highHz, rateHz, ["band", 1]);
  const width = rateHz / field.length;
  const first = Math.max(1, binAt(lowHz, width));
  const end = binAt(highHz, width);
  if (first < end) return { first, end };
  throw new OperatorError(["band"], `no frequency lies between its edges: they are ${width} Hz apart`);
}

class BandEnvelope extends MemorylessTransform {
  readonly #envelope: Envelope;
  readonly #bins: Bins;

  constructor(envelope: Envelope, bins: Bins) {
    super();
    this.#envelope = envelope;
    this.#bins = bins;
  }

  run(block: Float32Array): Float32Array {
    const out = new Float32Array(block.length);
    this.#envelope.write(block, this.#bins, out);
    return out;
  }
}
