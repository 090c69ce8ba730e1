// bands: a block's power between frequencies.

import { z } from "zod";
import { powerBetween } from "../signal/spectral-shape.js";
import type { BlockOperator } from "./block-operator.js";
import { fieldNames } from "./fields.js";
import { type Field, OperatorError } from "./port.js";
import { binAt, hzPerBin, powerColumn, powerParams, spectrumOf, spectrumParams } from "./spectral.js";
import { checkBelowHalf, pathOf, rateOf, rateParam } from "./vectors.js";

const params = z.strictObject({
  of: fieldNames,
  edges: z
    .array(z.number().min(0).max(1e7))
    .min(2)
    .max(129)
    .refine((edges) => edges.every((edge, i) => i === 0 || edge > edges[i - 1]!), {
      error: "expected rising frequencies",
    })
    .describe("Hz: [10, 100, 300] makes two bands, each up to but not including its upper edge."),
  rate: rateParam,
  ...spectrumParams,
  ...powerParams,
});

type Params = z.output<typeof params>;

/** Columns `a.band_10_100`: power of the samples' unit squared; over all frequencies it is the block's variance. */
export const bands: BlockOperator<Params> = {
  name: "bands",
  doc: "A block's power in bands: {of: vector or vectors, edges: [10, 100, 300] in Hz, rate: 3200Hz, window: hann, segment, log10, floor}. The mean is removed, the ends fade.",
  example: { params: { of: "a", edges: [0, 2, 4], rate: "16Hz", log10: true }, vectors: { a: 32 } },
  params,
  groups: ({ of, edges }) =>
    of.map((name, i) => ({
      of: [name],
      paths: [pathOf(of, i)],
      names: edges.slice(1).map((high, band) => `${name}.band_${edges[band]}_${high}`),
    })),
  compile(params, [field]) {
    const bins = binsOf(params, field!);
    const spectrum = spectrumOf(params, field!);
    return ([block], out, offset, row) => {
      const power = spectrum.of(block!, row);
      for (let i = 1; i < bins.length; i++)
        out[offset + i - 1] = powerColumn(powerBetween(power, bins[i - 1]!, bins[i]!), params);
    };
  },
};

function binsOf(params: Params, field: Field): readonly number[] {
  const { edges } = params;
  const rateHz = rateOf(params.rate, field);
  const width = hzPerBin(params, field, rateHz);
  edges.forEach((edge, i) => {
    checkBelowHalf(edge, rateHz, ["edges", i]);
  });
  const bins = edges.map((edge) => binAt(edge, width));
  bins.forEach((bin, i) => {
    if (i === 0 || bin > bins[i - 1]!) return;
    const message = `no frequency lies from ${edges[i - 1]} to ${edges[i]} Hz: they are ${width} Hz apart`;
    throw new OperatorError(["edges", i], message);
  });
  return bins;
}
