// spectrum: what a block's spectrum looks like.

import { z } from "zod";
import { spectralNames, spectralProperty } from "../signal/spectral-shape.js";
import type { BlockOperator } from "./block-operator.js";
import { fieldNames } from "./fields.js";
import { hzPerBin, spectrumOf, spectrumParams } from "./spectral.js";
import { pathOf, rateOf, rateParam } from "./vectors.js";

const params = z.strictObject({
  of: fieldNames,
  get: z.array(z.enum(spectralNames)).min(1).max(spectralNames.length),
  rate: rateParam,
  ...spectrumParams,
});

type Params = z.output<typeof params>;

/** Columns `a.centroid`, `a.peak_hz`, vector by vector. What each means: `spectralProperty`. */
export const spectrum: BlockOperator<Params> = {
  name: "spectrum",
  doc: "A block's spectrum in single numbers: {of: vector or vectors, get: [centroid, peak_hz, entropy, total, rolloff, flatness], rate: 3200Hz, window: hann, segment}. Frequencies in Hz; entropy and flatness from 0 (a tone) to 1 (white noise).",
  example: {
    params: { of: "a", get: ["centroid", "peak_hz", "entropy"], rate: "16Hz" },
    vectors: { a: 32 },
  },
  params,
  groups: ({ of, get }) =>
    of.map((name, i) => ({
      of: [name],
      paths: [pathOf(of, i)],
      names: get.map((property) => `${name}.${property}`),
    })),
  compile(params, [field]) {
    const { get } = params;
    const width = hzPerBin(params, field!, rateOf(params.rate, field!));
    const spectrum = spectrumOf(params, field!);
    return ([block], out, offset, row) => {
      const power = spectrum.of(block!, row);
      for (let i = 0; i < get.length; i++) out[offset + i] = spectralProperty(get[i]!, power, width);
    };
  },
};
