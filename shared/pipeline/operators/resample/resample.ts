// resample: readings as they come, rows on a grid.

import { z } from "zod";
import { unreachable } from "../../../assert.js";
import { durationMs, share } from "../../../task/units.js";
import type { Saved } from "../../state.js";
import type { PipelineRow, Value } from "../../types.js";
import { type Cost, type Input, OperatorError, type StepInstance, type StepOperator } from "../port.js";
import { type BinAggregate, BinCollector, binAggregates, takesVectors } from "./bins.js";
import { createFiller, type Filler, type FillSpec, fillParams, type WrittenFill } from "./fill.js";
import { SignalResample, type SignalSpec } from "./signal.js";

// A gap is filled row by row: this bounds the burst at its end.
const MAX_FILLED_ROWS = 100_000;

// Rows that a constant is put into after the last measurement, unless its age is given.
const CONST_ROWS = 1_000;

const params = z
  .strictObject({
    every: durationMs.describe("Spacing of the grid, aligned to the Unix epoch."),
    agg: z
      .enum([...binAggregates, "time_mean", "linear"])
      .prefault("last")
      .describe(
        "What stands for several readings in one bin. time_mean weighs each value by how long it held; linear reads the line between neighbours at the bin's start.",
      ),
    fill: fillParams.describe("How empty bins are filled, and for how long."),
    minCover: share
      .optional()
      .describe("With time_mean: the share of a bin that values must cover. Default: any."),
  })
  .refine(({ every, fill }) => (fill.spanMs ?? 0) / every <= MAX_FILLED_ROWS, {
    error: `fill spans more than ${MAX_FILLED_ROWS} rows of the grid`,
    path: ["fill"],
  })
  .refine(({ agg, minCover }) => minCover === undefined || agg === "time_mean", {
    error: "goes with agg: time_mean",
    path: ["minCover"],
  })
  .refine(({ agg, fill }) => agg !== "linear" || fill.kind === "linear", {
    error: "agg: linear draws over gaps up to fill: {linear: longest gap}",
    path: ["fill"],
  })
  .refine(({ agg, fill }) => agg !== "time_mean" || fill.kind !== "const", {
    error: "agg: time_mean goes with none, hold or linear",
    path: ["fill"],
  })
  .transform(({ fill, minCover = 0, ...written }): Params => {
    return { ...written, minCover, fill: settledFill(fill, written.every) };
  });

interface Params {
  readonly every: number;
  readonly agg: BinAggregate | "time_mean" | "linear";
  readonly fill: FillSpec;
  /** Fraction. */
  readonly minCover: number;
}

function settledFill(fill: WrittenFill, everyMs: number): FillSpec {
  return fill.kind === "const" ? { ...fill, spanMs: fill.spanMs ?? CONST_ROWS * everyMs } : fill;
}

/**
 * One row per bin [start, start + every), named by its start, once the bin is past the watermark. Bins without any
 * value, measured or filled, give no row. `time_mean` is the integral of the signal over the time it covers: of the value
 * that holds until the next one, for `fill: {hold}` at most and one bin without it, or of the line between neighbours
 * for `fill: {linear}`. A value of a bin without a reading of its own is marked as filled.
 */
export const resample: StepOperator<Params> = {
  name: "resample",
  doc: "Rows on a grid: {every, agg: last, first, mean, time_mean, sum, min, max, count or linear, fill: none, {hold: age}, {linear: gap} or {const: 0, age}, minCover: 50%}. Filled values are marked: labels and `observed` refuse them.",
  example: { params: { every: "1h", agg: "mean", fill: { hold: "6h" } } },
  moreExamples: [
    { params: { every: "20m", agg: "last", fill: { linear: "2h" } } },
    { params: { every: "30m", agg: "count", fill: { const: 0, age: "3h" } } },
    { params: { every: "1h", agg: "time_mean", fill: { hold: "90m" }, minCover: "50%" } },
    { params: { every: "20m", agg: "time_mean", fill: { linear: "70m" } } },
    { params: { every: "10m", agg: "linear", fill: { linear: "1h" } } },
  ],
  params,
  reads: (_params, wanted) => wanted,
  output({ every, agg, fill }, input) {
    if (!takesVectors(agg)) refuseVectors(input, "agg", agg);
    if (fill.kind === "const") refuseVectors(input, "fill", "a constant");
    return { fields: input.fields, spacingMs: every };
  },
  create(params, input, context) {
    const { every, agg } = params;
    const width = input.fields.length;
    return agg === "time_mean" || agg === "linear"
      ? new SignalResample(signalOf(params), width, context)
      : new BinResample({
          everyMs: every,
          collector: new BinCollector(agg, width),
          filler: createFiller(params.fill, width, context.emit),
        });
  },
  cost: costOf,
};

function refuseVectors({ fields }: Input, key: string, what: string): void {
  const vector = fields.find(({ length }) => length > 1);
  if (vector === undefined) return;
  throw new OperatorError([key], `${what} takes numbers: "${vector.name}" is a vector of ${vector.length}`);
}

function signalOf({ every, agg, fill, minCover }: Params): SignalSpec {
  const common = { everyMs: every, minCover };
  if (agg === "linear") return { ...common, kind: "point", spanMs: fill.spanMs };
  switch (fill.kind) {
    case "linear":
      return { ...common, kind: "line", spanMs: fill.spanMs };
    case "hold":
      return { ...common, kind: "held", spanMs: fill.spanMs };
    case "none":
    case "const":
      return { ...common, kind: "held", spanMs: every };
    default:
      return unreachable(fill);
  }
}

function costOf({ every, agg, fill }: Params, { fields }: Input): Cost {
  const rowBytes = fields.reduce((bytes, { length }) => bytes + 8 * length + 8, 0);
  const waitingRows = fill.kind === "linear" ? Math.ceil(fill.spanMs / every) : 1;
  const perRow = agg === "time_mean" || agg === "linear" ? 3 : 1;
  const stateBytes = rowBytes * (1 + waitingRows) * perRow;
  const ownMs = agg === "time_mean" ? every : 0; // as long as a value holds without a fill
  const heldMs = fill.kind === "hold" || fill.kind === "linear" ? fill.spanMs : ownMs;
  return { stateBytes, warmUpMs: every, warmUpRows: 1, reachMs: every + heldMs };
}

interface BinOptions {
  readonly everyMs: number;
  readonly collector: BinCollector;
  readonly filler: Filler;
}

class BinResample implements StepInstance {
  readonly #everyMs: number;
  readonly #collector: BinCollector;
  readonly #filler: Filler;
  // The grid row that comes next; `#bin` is set while readings fall into it.
  #nextMs: number | undefined;
  #bin: PipelineRow | undefined;
  #newest: PipelineRow | undefined;

  constructor({ everyMs, collector, filler }: BinOptions) {
    this.#everyMs = everyMs;
    this.#collector = collector;
    this.#filler = filler;
  }

  push(row: PipelineRow): void {
    const startMs = this.#gridMs(row.timeMs);
    this.#emitBefore(startMs);
    this.#nextMs = startMs;
    this.#bin = row;
    this.#newest = row;
    this.#collector.add(row.values);
  }

  advance(watermarkMs: number): number {
    const limitMs = this.#gridMs(watermarkMs);
    this.#emitBefore(limitMs);
    return Math.min(limitMs, this.#filler.waitingMs());
  }

  dueMs(): number {
    if (this.#nextMs === undefined) return Number.POSITIVE_INFINITY;
    const hasWork = this.#bin !== undefined || this.#filler.wants(this.#nextMs);
    return hasWork || Number.isFinite(this.#filler.waitingMs())
      ? this.#nextMs + this.#everyMs
      : Number.POSITIVE_INFINITY;
  }

  flush(): void {
    if (this.#bin !== undefined && this.#nextMs !== undefined) this.#emitBefore(this.#nextMs + this.#everyMs);
    this.#filler.release(Number.POSITIVE_INFINITY);
    this.#nextMs = undefined;
  }

  save(): Saved {
    const saved: SavedResample = {
      filler: this.#filler.save(),
      collector: this.#collector.save(),
      nextMs: this.#nextMs ?? null,
      hasBin: this.#bin !== undefined,
      newest: this.#newest ?? null,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { filler, collector, nextMs, hasBin, newest } = saved as SavedResample; // as `save` made it
    this.#filler.restore(filler);
    this.#collector.restore(collector);
    this.#nextMs = nextMs ?? undefined;
    this.#newest = newest ?? undefined;
    this.#bin = hasBin ? this.#newest : undefined;
  }

  #emitBefore(limitMs: number): void {
    const fromMs = this.#nextMs;
    if (fromMs === undefined || fromMs >= limitMs) return;
    let timeMs = fromMs;
    while (timeMs < limitMs && (this.#bin !== undefined || this.#filler.wants(timeMs))) {
      this.#emitRow(timeMs);
      timeMs += this.#everyMs;
    }
    this.#nextMs = limitMs;
    this.#filler.release(limitMs);
  }

  #emitRow(timeMs: number): void {
    const { entity, test } = this.#newest!;
    const values =
      this.#bin === undefined ? this.#newest!.values.map((): Value => null) : this.#collector.finish();
    this.#filler.take({ entity, timeMs, values, filled: undefined, test });
    this.#bin = undefined;
  }

  #gridMs(timeMs: number): number {
    return Math.floor(timeMs / this.#everyMs) * this.#everyMs;
  }
}

interface SavedResample {
  readonly filler: Saved;
  readonly collector: Saved;
  readonly nextMs: number | null;
  /** The newest row's bin is still open. */
  readonly hasBin: boolean;
  readonly newest: PipelineRow | null;
}
