// diff: a number minus what it was.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import { durationMs } from "../../task/units.js";
import { History } from "../history.js";
import type { Saved } from "../state.js";
import { fieldNames } from "./fields.js";
import { type FeatureOperator, MAX_HISTORY_ROWS, rowsIn, type StepOperator } from "./port.js";
import { asParam, type Series, type SeriesKind, seriesFeature, seriesStep } from "./series.js";
import { spanText } from "./statistic.js";

const shape = {
  of: fieldNames,
  rows: z.int().min(1).max(100_000).optional().describe("How far back in rows. Default 1."),
  by: durationMs.optional().describe("How far back in event time: the row at exactly that time."),
};

const bounds = { error: 'expected "by" or "rows", not both' };
const isOneBound = ({ rows, by }: { rows?: number | undefined; by?: number | undefined }) =>
  rows === undefined || by === undefined;

const featureParams = z.strictObject(shape).refine(isOneBound, bounds);
const stepParams = z.strictObject({ ...shape, as: asParam }).refine(isOneBound, bounds);

type Params = z.output<typeof featureParams>;

/** x(t) - x(t - by), or minus x so many rows before; missing where one of them is. In the field's own unit. */
const kind: SeriesKind<Params> = {
  name: "diff",
  suffix: ({ rows = 1, by }) => `diff_${by === undefined ? rows : spanText(by)}`,
  create: ({ rows = 1, by }, counters) => (by === undefined ? new RowDiff(rows) : new TimeDiff(by, counters)),
  cost({ rows = 1, by }, input) {
    const remembered = by === undefined ? rows + 1 : rowsIn(by, input);
    return {
      stateBytes: 16 * remembered,
      warmUpMs: by ?? (input.spacingMs ?? 0) * rows,
      warmUpRows: by === undefined ? rows + 1 : 1,
    };
  },
};

export const diffFeature: FeatureOperator<Params> = seriesFeature(kind, {
  doc: "A number minus what it was: {of: field or fields, rows: 1} or {of, by: 1h}. By time, the row at exactly that time is read. In the field's unit.",
  example: { params: { of: "pm25", by: "1h" } },
  moreExamples: [{ params: { of: ["pm25", "temp"], rows: 3 } }],
  params: featureParams,
});

export const diffStep: StepOperator<z.output<typeof stepParams>> = seriesStep(kind, {
  doc: "A field minus what it was: {of, rows: 1 or by: 1h, as}. By time, the row at exactly that time is read.",
  example: { params: { of: "temp", rows: 1, as: "step" } },
  params: stepParams,
});

class RowDiff implements Series {
  readonly #rows: number;
  readonly #history: History;

  constructor(rows: number) {
    this.#rows = rows;
    this.#history = new History([0], rows + 1);
  }

  get isWarm(): boolean {
    return this.#history.end > this.#rows;
  }

  next(timeMs: number, x: number): number {
    this.#history.pushNumber(timeMs, x);
    if (!this.isWarm) return Number.NaN;
    return x - this.#history.value(this.#history.end - 1 - this.#rows, 0);
  }

  save(): Saved {
    return this.#history.save();
  }

  restore(saved: Saved): void {
    this.#history.restore(saved);
  }
}

class TimeDiff implements Series {
  isWarm = false;
  readonly #byMs: number;
  readonly #counters: Counters;
  readonly #history = new History([0], MAX_HISTORY_ROWS);
  #startMs: number | undefined;

  constructor(byMs: number, counters: Counters) {
    this.#byMs = byMs;
    this.#counters = counters;
  }

  next(timeMs: number, x: number): number {
    const history = this.#history;
    if (!history.pushNumber(timeMs, x)) this.#counters.add("features.history-full");
    this.#startMs = history.droppedMs ?? this.#startMs ?? timeMs;
    const pastMs = timeMs - this.#byMs;
    this.isWarm = pastMs >= this.#startMs;
    while (history.timeMs(history.first) < pastMs) history.forget(history.first + 1);
    return history.timeMs(history.first) === pastMs ? x - history.value(history.first, 0) : Number.NaN;
  }

  save(): Saved {
    const saved: SavedTimeDiff = { history: this.#history.save(), startMs: this.#startMs ?? null };
    return saved;
  }

  restore(saved: Saved): void {
    const { history, startMs } = saved as SavedTimeDiff; // as `save` made it
    this.#history.restore(history);
    this.#startMs = startMs ?? undefined;
  }
}

interface SavedTimeDiff {
  readonly history: Saved;
  readonly startMs: number | null;
}
