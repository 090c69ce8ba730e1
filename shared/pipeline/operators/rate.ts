// rate: how fast a number changes, right for counters that begin again.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import { durationMs } from "../../task/units.js";
import type { Saved } from "../state.js";
import { fieldNames } from "./fields.js";
import type { FeatureOperator, StepOperator } from "./port.js";
import { asParam, type Series, type SeriesKind, seriesFeature, seriesStep } from "./series.js";
import { spanText } from "./statistic.js";

const shape = {
  of: fieldNames,
  per: durationMs.prefault("1s").describe("Per how much time: a register in kWh, per 1h, gives kW."),
  reset: z
    .boolean()
    .prefault(false)
    .describe("A counter: a fall means that it began again at 0, and what it shows came since."),
  max: z.number().min(0).optional().describe("A faster change, up or down, is missing."),
};

const featureParams = z.strictObject(shape);
const stepParams = z.strictObject({ ...shape, as: asParam });

type Params = z.output<typeof featureParams>;

/**
 * (x - last) * per / dt, since the last value there was. With `reset`, a fall counts as x itself (counters as in
 * Prometheus' rate) and is counted as `rate.resets`; beyond `max` it is missing, counted as `rate.too-fast`.
 */
const kind: SeriesKind<Params> = {
  name: "rate",
  suffix: ({ per }) => `rate_${spanText(per)}`,
  create: (params, counters) => new Rate(params, counters),
  cost: (_, { spacingMs = 0 }) => ({ stateBytes: 16, warmUpMs: spacingMs, warmUpRows: 2 }),
};

export const rateFeature: FeatureOperator<Params> = seriesFeature(kind, {
  doc: "Change per time since the last value: {of: field or fields, per: 1h, reset: true, max: 50}. In the field's unit per `per`; `reset` for counters that begin again at 0.",
  example: { params: { of: "kwh", per: "1h", reset: true, max: 50 } },
  params: featureParams,
});

export const rateStep: StepOperator<z.output<typeof stepParams>> = seriesStep(kind, {
  doc: "A field's change per time since its last value: {of, per: 1h, reset: true, max: 50, as: kw}. `reset` for counters that begin again at 0.",
  example: { params: { of: "kwh", per: "1h", reset: true, max: 50, as: "kw" } },
  params: stepParams,
});

class Rate implements Series {
  isWarm = false;
  readonly #perMs: number;
  readonly #isCounter: boolean;
  readonly #max: number;
  readonly #counters: Counters;
  #last = Number.NaN;
  #lastMs = 0;
  #rows = 0;

  constructor({ per, reset, max = Number.POSITIVE_INFINITY }: Params, counters: Counters) {
    this.#perMs = per;
    this.#isCounter = reset;
    this.#max = max;
    this.#counters = counters;
  }

  next(timeMs: number, x: number): number {
    this.isWarm = this.#rows > 0;
    this.#rows = 1;
    if (Number.isNaN(x)) return x;
    const change = Number.isNaN(this.#last) ? Number.NaN : this.#changeTo(x);
    const rate = change * (this.#perMs / (timeMs - this.#lastMs));
    this.#last = x;
    this.#lastMs = timeMs;
    if (!(Math.abs(rate) > this.#max)) return rate;
    this.#counters.add("rate.too-fast");
    return Number.NaN;
  }

  save(): Saved {
    return [this.#last, this.#lastMs, this.#rows];
  }

  restore(saved: Saved): void {
    [this.#last, this.#lastMs, this.#rows] = saved as [number, number, number]; // as `save` made it
  }

  #changeTo(x: number): number {
    if (!this.#isCounter || x >= this.#last) return x - this.#last;
    this.#counters.add("rate.resets");
    return x;
  }
}
