// What operators on a block's spectrum have in common: which spectrum, how its bins lie, how power is written.

import { z } from "zod";
import { type Spectrum, sharedSpectrum } from "../signal/spectrum.js";
import { taperNames } from "../signal/taper.js";
import { type Field, OperatorError } from "./port.js";

/** Parameters that choose the spectrum. */
export const spectrumParams = {
  window: z.enum(taperNames).prefault("hann").describe("How a block's ends fade before its transform."),
  segment: z
    .int()
    .min(4)
    .max(65_536)
    .optional()
    .describe(
      "Samples of one transform: half overlapping segments are averaged (Welch). Default: the block.",
    ),
};

/** Parameters of power. */
export const powerParams = {
  log10: z.boolean().prefault(false).describe("The decimal logarithm instead of the power itself."),
  floor: z.number().positive().prefault(1e-12).describe("Power below it is taken for it, with log10."),
};

interface ChosenSpectrum {
  readonly window: (typeof taperNames)[number];
  readonly segment?: number | undefined;
}

/** The spectrum of blocks of `field`, the same object for all who choose the same. */
export function spectrumOf({ window, segment }: ChosenSpectrum, { name, length }: Field): Spectrum {
  if (segment !== undefined && segment > length) {
    throw new OperatorError(["segment"], `${segment} samples are more than a block of "${name}", ${length}`);
  }
  return sharedSpectrum({ length, taper: window, segment: segment ?? length });
}

/** From one bin to the next. */
export function hzPerBin({ segment }: ChosenSpectrum, { length }: Field, rateHz: number): number {
  return rateHz / (segment ?? length);
}

/** The first bin at or above a frequency. */
export function binAt(hz: number, hzPerBin: number): number {
  // An edge on a bin is that bin, whatever the division makes of it.
  return Math.ceil(hz / hzPerBin - 1e-9);
}

/** Power as it is written to a column. */
export function powerColumn(power: number, { log10, floor }: { log10: boolean; floor: number }): number {
  return log10 ? Math.log10(Math.max(power, floor)) : power;
}
