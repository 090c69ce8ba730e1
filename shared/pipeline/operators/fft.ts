// fft: a block's spectrum itself, coarsened.

import { z } from "zod";
import { powerBetween } from "../signal/spectral-shape.js";
import type { BlockOperator } from "./block-operator.js";
import { fieldNames } from "./fields.js";
import { type Field, OperatorError } from "./port.js";
import { powerColumn, powerParams, spectrumOf, spectrumParams } from "./spectral.js";
import { pathOf } from "./vectors.js";

const params = z.strictObject({
  of: fieldNames,
  bins: z.int().min(1).max(1024).describe("Equally wide groups of frequencies, up to half the rate."),
  ...spectrumParams,
  ...powerParams,
});

type Params = z.output<typeof params>;

/** Columns `a.fft_0`, `a.fft_1`, ...: power per group of frequencies above 0, the samples' unit squared. */
export const fft: BlockOperator<Params> = {
  name: "fft",
  doc: "A block's spectrum as columns: {of: vector or vectors, bins: 16, window: hann, segment, log10, floor}: the power of equally wide groups of frequencies.",
  example: { params: { of: "a", bins: 4 }, vectors: { a: 32 } },
  params,
  groups: ({ of, bins }) =>
    of.map((name, i) => ({
      of: [name],
      paths: [pathOf(of, i)],
      names: Array.from({ length: bins }, (_, bin) => `${name}.fft_${bin}`),
    })),
  compile(params, [field]) {
    const edges = edgesOf(params, field!);
    const spectrum = spectrumOf(params, field!);
    return ([block], out, offset, row) => {
      const power = spectrum.of(block!, row);
      for (let i = 1; i < edges.length; i++)
        out[offset + i - 1] = powerColumn(powerBetween(power, edges[i - 1]!, edges[i]!), params);
    };
  },
};

// Bin 0 is left out: the mean is removed.
function edgesOf({ bins, segment }: Params, { name, length }: Field): readonly number[] {
  const frequencies = Math.floor((segment ?? length) / 2);
  if (bins > frequencies) {
    throw new OperatorError(["bins"], `${bins} are more than the ${frequencies} frequencies of "${name}"`);
  }
  return Array.from({ length: bins + 1 }, (_, i) => 1 + Math.floor((i * frequencies) / bins));
}
