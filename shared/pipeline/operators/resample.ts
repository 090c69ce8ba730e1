// resample: readings as they come, rows on a grid.

import { z } from "zod";
import { durationMs } from "../../task/units.js";
import type { Saved } from "../state.js";
import type { PipelineRow, Value } from "../types.js";
import { createFiller, type Filler, fillParams } from "./fill.js";
import { type Input, OperatorError, type StepContext, type StepInstance, type StepOperator } from "./port.js";

// A gap is filled row by row: this bounds the burst at its end.
const MAX_FILLED_ROWS = 100_000;

const params = z
  .strictObject({
    every: durationMs.describe("Spacing of the grid, aligned to the Unix epoch."),
    agg: z.enum(["last", "mean"]).prefault("last").describe("What stands for several readings in one bin."),
    fill: fillParams.describe("How empty bins are filled, and for how long."),
  })
  .refine(({ every, fill }) => fill.spanMs / every <= MAX_FILLED_ROWS, {
    error: `fill spans more than ${MAX_FILLED_ROWS} rows of the grid`,
    path: ["fill"],
  });

type Params = z.output<typeof params>;

/**
 * One row per bin [start, start + every), named by its start, once the bin is past the watermark. Bins without any
 * value, measured or filled, give no row.
 */
export const resample: StepOperator<Params> = {
  name: "resample",
  doc: "Rows on a grid: {every, agg: last or mean, fill: none, {hold: age} or {linear: gap}}. Filled values are marked: labels and `observed` refuse them.",
  example: { params: { every: "1h", agg: "mean", fill: { hold: "6h" } } },
  params,
  reads: (_params, wanted) => wanted,
  output({ every, agg }, input) {
    if (agg === "mean") refuseVectors(input);
    return { fields: input.fields, spacingMs: every };
  },
  create: (params, input, context) => new Resample(params, input, context),
  cost({ every, fill }, { fields }) {
    const rowBytes = fields.reduce((bytes, { length }) => bytes + 8 * length + 8, 0);
    const waitingRows = fill.kind === "linear" ? Math.ceil(fill.spanMs / every) : 1;
    return { stateBytes: rowBytes * (1 + waitingRows), warmUpMs: every, warmUpRows: 1 };
  },
};

function refuseVectors({ fields }: Input): void {
  const vector = fields.find(({ length }) => length > 1);
  if (vector === undefined) return;
  throw new OperatorError(["agg"], `mean takes numbers: "${vector.name}" is a vector of ${vector.length}`);
}

class Resample implements StepInstance {
  readonly #everyMs: number;
  readonly #isMean: boolean;
  readonly #filler: Filler;
  #sums: Value[];
  #counts: number[];
  // The grid row that comes next; `#bin` is set while readings fall into it.
  #nextMs: number | undefined;
  #bin: PipelineRow | undefined;
  #newest: PipelineRow | undefined;

  constructor({ every, agg, fill }: Params, { fields }: Input, context: StepContext) {
    this.#everyMs = every;
    this.#isMean = agg === "mean";
    this.#filler = createFiller(fill, fields.length, context.emit);
    this.#sums = new Array<Value>(fields.length).fill(null);
    this.#counts = new Array<number>(fields.length).fill(0);
  }

  push(row: PipelineRow): void {
    const startMs = this.#gridMs(row.timeMs);
    this.#emitBefore(startMs);
    this.#nextMs = startMs;
    this.#bin = row;
    this.#newest = row;
    this.#collect(row.values);
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
      sums: this.#sums,
      counts: this.#counts,
      nextMs: this.#nextMs ?? null,
      hasBin: this.#bin !== undefined,
      newest: this.#newest ?? null,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { filler, sums, counts, nextMs, hasBin, newest } = saved as SavedResample; // as `save` made it
    this.#filler.restore(filler);
    this.#sums = [...sums];
    this.#counts = [...counts];
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
    const values = this.#bin === undefined ? this.#sums.map(() => null) : this.#settle();
    this.#filler.take({ entity, timeMs, values, filled: undefined, test });
    this.#bin = undefined;
  }

  #collect(values: readonly Value[]): void {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value === null) continue;
      const sum = this.#sums[i];
      const isAdded = this.#isMean && typeof sum === "number" && typeof value === "number";
      this.#sums[i] = isAdded ? sum + value : value;
      this.#counts[i]! += 1;
    }
  }

  #settle(): Value[] {
    const values = this.#sums.map((sum, i) =>
      this.#isMean && typeof sum === "number" ? sum / this.#counts[i]! : sum,
    );
    this.#sums.fill(null);
    this.#counts.fill(0);
    return values;
  }

  #gridMs(timeMs: number): number {
    return Math.floor(timeMs / this.#everyMs) * this.#everyMs;
  }
}

interface SavedResample {
  readonly filler: Saved;
  readonly sums: readonly Value[];
  readonly counts: readonly number[];
  readonly nextMs: number | null;
  /** The newest row's bin is still open. */
  readonly hasBin: boolean;
  readonly newest: PipelineRow | null;
}
