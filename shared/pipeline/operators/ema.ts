// ema: the exponential moving average of a number, right for uneven spacing.

import { z } from "zod";
import { durationMs } from "../../task/units.js";
import type { Saved } from "../state.js";
import { fieldNames } from "./fields.js";
import type { FeatureOperator, StepOperator } from "./port.js";
import { asParam, type Series, type SeriesKind, seriesFeature, seriesStep } from "./series.js";
import { spanText } from "./statistic.js";

const shape = {
  of: fieldNames,
  tau: durationMs.describe("Time constant: after it, a step in the input is followed to 63 %."),
};

const featureParams = z.strictObject(shape);
const stepParams = z.strictObject({ ...shape, as: asParam });

type Params = z.output<typeof featureParams>;

/**
 * y += alpha * (x - y) with alpha = 1 - exp(-dt / tau), dt since the last value; the first value is taken as it is.
 * Where x is missing, so is y. In the field's own unit.
 */
const kind: SeriesKind<Params> = {
  name: "ema",
  suffix: ({ tau }) => `ema_${spanText(tau)}`,
  create: ({ tau }) => new Ema(tau),
  // After five time constants less than a hundredth is left of a value.
  cost: ({ tau }) => ({ stateBytes: 16, warmUpMs: 0, warmUpRows: 1, reachMs: 5 * tau }),
};

export const emaFeature: FeatureOperator<Params> = seriesFeature(kind, {
  doc: "Exponential moving average by time constant, whatever the spacing: {of: field or fields, tau: 2h}. In the field's unit.",
  example: { params: { of: "pm25", tau: "2h" } },
  params: featureParams,
});

export const emaStep: StepOperator<z.output<typeof stepParams>> = seriesStep(kind, {
  doc: "A field's exponential moving average by time constant: {of, tau: 2h, as}. `as: x` for x itself smooths in place.",
  example: { params: { of: "temp", tau: "10m", as: "temp" } },
  params: stepParams,
});

class Ema implements Series {
  readonly isWarm = true;
  readonly #tauMs: number;
  #average = Number.NaN;
  #lastMs = 0;

  constructor(tauMs: number) {
    this.#tauMs = tauMs;
  }

  next(timeMs: number, x: number): number {
    if (Number.isNaN(x)) return x;
    if (Number.isNaN(this.#average)) this.#average = x;
    // expm1 keeps its digits where dt is a tiny part of tau.
    else this.#average -= Math.expm1((this.#lastMs - timeMs) / this.#tauMs) * (x - this.#average);
    this.#lastMs = timeMs;
    return this.#average;
  }

  save(): Saved {
    return [this.#average, this.#lastMs];
  }

  restore(saved: Saved): void {
    [this.#average, this.#lastMs] = saved as [number, number]; // as `save` made it
  }
}
