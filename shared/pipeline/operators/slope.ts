// slope: the direction a number has taken lately.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import { durationMs } from "../../task/units.js";
import { History } from "../history.js";
import { SlidingSummary } from "../sliding.js";
import type { Saved } from "../state.js";
import { Summary } from "../summary.js";
import { fieldNames } from "./fields.js";
import { type FeatureOperator, MAX_HISTORY_ROWS, rowsIn, type StepOperator } from "./port.js";
import { asParam, type Series, type SeriesKind, seriesFeature, seriesStep } from "./series.js";
import { spanText } from "./statistic.js";

const BYTES_PER_VALUE = 168;

const shape = {
  of: fieldNames,
  over: durationMs.describe("The line is laid through the values of (t - over, t]."),
  per: durationMs.prefault("1s").describe("Per how much time the slope is told."),
};

const featureParams = z.strictObject(shape);
const stepParams = z.strictObject({ ...shape, as: asParam });

type Params = z.output<typeof featureParams>;

/**
 * Slope of the least-squares line through the values of (t - over, t] over their event times, in the field's unit per
 * `per`. Missing values are skipped; fewer than two have no slope. Warm once the past covers the whole window.
 */
const kind: SeriesKind<Params> = {
  name: "slope",
  suffix: ({ over }) => `slope_${spanText(over)}`,
  create: (params, counters) => new Slope(params, counters),
  cost: ({ over }, input) => ({
    stateBytes: BYTES_PER_VALUE * rowsIn(over, input),
    warmUpMs: over,
    warmUpRows: 2,
  }),
};

export const slopeFeature: FeatureOperator<Params> = seriesFeature(kind, {
  doc: "Slope of the straight line through the last values: {of: field or fields, over: 10m, per: 1h}. Least squares over event time; in the field's unit per `per`, which is 1s unless said.",
  example: { params: { of: "temp", over: "2h", per: "1h" } },
  params: featureParams,
});

export const slopeStep: StepOperator<z.output<typeof stepParams>> = seriesStep(kind, {
  doc: "Slope of the straight line through a field's last values: {of, over: 10m, per: 1h, as}. Missing until the past covers `over`.",
  example: { params: { of: "temp", over: "2h", per: "1h", as: "trend" } },
  params: stepParams,
});

class Slope implements Series {
  isWarm = false;
  readonly #overMs: number;
  readonly #perSeconds: number;
  readonly #counters: Counters;
  readonly #history = new History([0], MAX_HISTORY_ROWS);
  readonly #window = new SlidingSummary(() => new Summary());
  readonly #summary = new Summary();
  #startMs: number | undefined;

  constructor({ over, per }: Params, counters: Counters) {
    this.#overMs = over;
    this.#perSeconds = per / 1_000;
    this.#counters = counters;
  }

  next(timeMs: number, x: number): number {
    const history = this.#history;
    if (!history.pushNumber(timeMs, x)) {
      this.#counters.add("features.history-full");
      this.#window.shift();
    }
    this.#startMs = history.droppedMs ?? this.#startMs ?? timeMs;
    this.#window.push(x, timeMs);
    while (history.timeMs(history.first) <= timeMs - this.#overMs) {
      history.forget(history.first + 1);
      this.#window.shift();
    }
    this.isWarm = timeMs - this.#startMs >= this.#overMs;
    if (!this.isWarm) return Number.NaN;
    this.#window.read(this.#summary);
    return (this.#summary.slope ?? Number.NaN) * this.#perSeconds;
  }

  save(): Saved {
    const saved: SavedSlope = {
      history: this.#history.save(),
      window: this.#window.save(),
      startMs: this.#startMs ?? null,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { history, window, startMs } = saved as SavedSlope; // as `save` made it
    this.#history.restore(history);
    this.#window.restore(window);
    this.#startMs = startMs ?? undefined;
  }
}

interface SavedSlope {
  readonly history: Saved;
  readonly window: Saved;
  readonly startMs: number | null;
}
