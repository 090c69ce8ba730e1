// throttle: fewer rows than come.

import { z } from "zod";
import { durationMs } from "../../task/units.js";
import type { Saved } from "../state.js";
import type { PipelineRow } from "../types.js";
import { type Input, RowStep, type StepContext, type StepOperator } from "./port.js";
import { rowCount } from "./statistic.js";

const params = z
  .strictObject({
    every: durationMs.optional().describe("At most one row in so much event time."),
    rows: rowCount.optional().describe("One row in so many."),
  })
  .refine(({ every, rows }) => (every === undefined) !== (rows === undefined), {
    error: 'expected exactly one of "every" or "rows"',
  });

type Params = z.output<typeof params>;

/** The first row passes, then the next one that is `every` later, or the next in so many. Others are counted as `throttle.skipped`. */
export const throttle: StepOperator<Params> = {
  name: "throttle",
  doc: "At most one row in so much event time, or one in so many: {every: 10s} or {rows: 10}. Nothing is averaged: see resample.",
  example: { params: { every: "10s" } },
  moreExamples: [{ params: { rows: 10 } }],
  params,
  reads: (_, wanted) => wanted,
  output: ({ rows }, input): Input => {
    const { fields, spacingMs } = input;
    return rows === undefined || spacingMs === undefined
      ? { fields, spacingMs: undefined }
      : { fields, spacingMs: spacingMs * rows };
  },
  create: (params, _input, context) => new Throttle(params, context),
  cost: () => ({ stateBytes: 16, warmUpMs: 0, warmUpRows: 1 }),
};

class Throttle extends RowStep {
  readonly #everyMs: number;
  readonly #rows: number;
  readonly #context: StepContext;
  #lastMs = Number.NEGATIVE_INFINITY;
  // Rows since the last that passed, itself included.
  #seen = Number.POSITIVE_INFINITY;

  constructor({ every = 0, rows = 1 }: Params, context: StepContext) {
    super();
    this.#everyMs = every;
    this.#rows = rows;
    this.#context = context;
  }

  push(row: PipelineRow): void {
    if (this.#seen < this.#rows || row.timeMs - this.#lastMs < this.#everyMs) {
      this.#seen += 1;
      this.#context.counters.add("throttle.skipped");
      return;
    }
    this.#seen = 1;
    this.#lastMs = row.timeMs;
    this.#context.emit(row);
  }

  override save(): Saved {
    return [this.#lastMs, this.#seen];
  }

  override restore(saved: Saved): void {
    [this.#lastMs, this.#seen] = saved as [number, number]; // as `save` made it
  }
}
