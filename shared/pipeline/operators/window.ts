// window: many rows in, one row of statistics out.

import { z } from "zod";
import { durationMs } from "../../task/units.js";
import { Moments } from "../moments.js";
import type { Saved } from "../state.js";
import type { PipelineRow, Value } from "../types.js";
import { fieldName, numberPosition } from "./fields.js";
import type { Cost, Input, StepContext, StepInstance, StepOperator } from "./port.js";
import {
  EXTENT_RULE,
  type Extent,
  extentOf,
  hasOneExtent,
  overParam,
  rowCount,
  rowsParam,
  statisticName,
  statisticOf,
} from "./statistic.js";

// Each row is added to every window that is open over it.
const MAX_OVERLAP = 1_000;

const windowStatistic = z.enum([...statisticName.options, "last"]);

type WindowStatistic = z.output<typeof windowStatistic>;

const params = z
  .strictObject({
    over: overParam,
    rows: rowsParam,
    every: z
      .union([durationMs, rowCount], {
        error: "expected a duration (with over) or a number of rows (with rows)",
      })
      .optional()
      .describe("From one window's start to the next. Default: its length, so that windows do not overlap."),
    get: z
      .record(fieldName, z.array(windowStatistic).min(1).max(6))
      .describe("Field -> statistics. They become the fields `temp.mean`, `temp.std`, ..."),
  })
  .refine(hasOneExtent, EXTENT_RULE)
  .transform((written): WindowParams => {
    const size = extentOf(written);
    return { size, every: written.every ?? lengthOf(size), get: written.get };
  })
  .refine(({ size, every }) => every <= lengthOf(size), {
    error: "expected at most the window's length: rows between windows would be lost",
    path: ["every"],
  })
  .refine(({ size, every }) => lengthOf(size) / every <= MAX_OVERLAP, {
    error: `more than ${MAX_OVERLAP} windows would be open at once`,
    path: ["every"],
  });

interface WindowParams {
  readonly size: Extent;
  /** ms or rows, as `size`. */
  readonly every: number;
  readonly get: Readonly<Record<string, readonly WindowStatistic[]>>;
}

/**
 * Windows [start, start + over), aligned to the Unix epoch, or of so many rows; a row is named by its window's start
 * (for rows: its first row's time). Missing values are skipped, filled ones count. A window of time without rows
 * gives none; a statistic without values is missing, but a count is 0.
 */
export const window: StepOperator<WindowParams> = {
  name: "window",
  doc: "Statistics of windows: {over: 10m or rows: 30, every, get: {temp: [mean, std, min, max, count, last]}}.",
  example: { params: { over: "1h", every: "30m", get: { temp: ["mean", "max", "last"] } } },
  params,
  reads: ({ get }) => Object.keys(get),
  output({ size, every, get }, input) {
    for (const name of Object.keys(get)) numberPosition(input, name, ["get", name]);
    const fields = Object.entries(get).flatMap(([name, statistics]) =>
      statistics.map((statistic) => ({ name: `${name}.${statistic}`, length: 1 })),
    );
    return { fields, spacingMs: size.kind === "time" ? every : undefined };
  },
  create({ size, every, get }, input, context) {
    const make = (row: PipelineRow, start: number) => new Pane(get, input, row, start);
    return size.kind === "time"
      ? new TimeWindows(size.ms, every, make, context)
      : new RowWindows(size.rows, every, make, context);
  },
  cost: ({ size, every, get }, input) => costOf(size, every, Object.keys(get).length, input),
};

function costOf(size: Extent, every: number, fields: number, { spacingMs = 0 }: Input): Cost {
  const stateBytes = Math.ceil(lengthOf(size) / every) * (64 + 56 * fields);
  return size.kind === "time"
    ? { stateBytes, warmUpMs: size.ms, warmUpRows: 1 }
    : { stateBytes, warmUpMs: size.rows * spacingMs, warmUpRows: size.rows };
}

function lengthOf(size: Extent): number {
  return size.kind === "time" ? size.ms : size.rows;
}

type MakePane = (row: PipelineRow, start: number) => Pane;

/** One open window. */
class Pane {
  /** Event time, or the number of the row it starts with. */
  readonly start: number;
  readonly #first: PipelineRow;
  readonly #columns: readonly {
    readonly position: number;
    readonly statistics: readonly WindowStatistic[];
    readonly moments: Moments;
    last: number | null;
  }[];

  constructor(get: WindowParams["get"], input: Input, first: PipelineRow, start: number) {
    this.start = start;
    this.#first = first;
    this.#columns = Object.entries(get).map(([name, statistics]) => ({
      position: numberPosition(input, name, ["get", name]),
      statistics,
      moments: new Moments(),
      last: null,
    }));
  }

  add({ values }: PipelineRow): void {
    for (const column of this.#columns) {
      const value = values[column.position];
      if (typeof value !== "number") continue;
      column.moments.add(value);
      column.last = value;
    }
  }

  save(): SavedPane {
    const columns = this.#columns.map(({ moments, last }) => ({ moments: moments.save(), last }));
    return { start: this.start, first: this.#first, columns };
  }

  restore({ columns }: SavedPane): void {
    this.#columns.forEach((column, i) => {
      column.moments.restore(columns[i]!.moments);
      column.last = columns[i]!.last;
    });
  }

  row(timeMs = this.#first.timeMs): PipelineRow {
    const values: Value[] = [];
    for (const { statistics, moments, last } of this.#columns) {
      for (const statistic of statistics) {
        if (statistic === "last") values.push(last);
        else values.push(moments.count > 0 || statistic === "count" ? statisticOf(moments, statistic) : null);
      }
    }
    const { entity, test } = this.#first;
    return { entity, timeMs, values, filled: undefined, test };
  }
}

interface SavedPane {
  readonly start: number;
  readonly first: PipelineRow;
  readonly columns: readonly { readonly moments: readonly number[]; readonly last: number | null }[];
}

function restorePanes(panes: readonly SavedPane[], make: MakePane): Pane[] {
  return panes.map((saved) => {
    const pane = make(saved.first, saved.start);
    pane.restore(saved);
    return pane;
  });
}

class TimeWindows implements StepInstance {
  readonly #sizeMs: number;
  readonly #everyMs: number;
  readonly #make: MakePane;
  readonly #context: StepContext;
  // By start, oldest first; all of them hold at least one row.
  #open: Pane[] = [];

  constructor(sizeMs: number, everyMs: number, make: MakePane, context: StepContext) {
    this.#sizeMs = sizeMs;
    this.#everyMs = everyMs;
    this.#make = make;
    this.#context = context;
  }

  push(row: PipelineRow): void {
    this.#closeUntil(row.timeMs);
    const newest = this.#open.at(-1)?.start ?? Number.NEGATIVE_INFINITY;
    for (let start = this.#firstStart(row.timeMs); start <= row.timeMs; start += this.#everyMs) {
      if (start > newest) this.#open.push(this.#make(row, start));
    }
    for (const pane of this.#open) pane.add(row);
  }

  advance(watermarkMs: number): number {
    this.#closeUntil(watermarkMs);
    return Math.min(this.#firstStart(watermarkMs), this.#open[0]?.start ?? Number.POSITIVE_INFINITY);
  }

  dueMs(): number {
    const oldest = this.#open[0];
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.start + this.#sizeMs;
  }

  flush(): void {
    this.#closeUntil(Number.POSITIVE_INFINITY);
  }

  save(): Saved {
    return this.#open.map((pane) => pane.save());
  }

  restore(saved: Saved): void {
    this.#open = restorePanes(saved as readonly SavedPane[], this.#make); // as `save` made it
  }

  // The earliest window that a row at `timeMs` falls into.
  #firstStart(timeMs: number): number {
    return (Math.floor((timeMs - this.#sizeMs) / this.#everyMs) + 1) * this.#everyMs;
  }

  #closeUntil(watermarkMs: number): void {
    let closed = 0;
    while (closed < this.#open.length && this.#open[closed]!.start + this.#sizeMs <= watermarkMs) closed += 1;
    for (const pane of this.#open.splice(0, closed)) this.#context.emit(pane.row(pane.start));
  }
}

class RowWindows implements StepInstance {
  readonly #size: number;
  readonly #every: number;
  readonly #make: MakePane;
  readonly #context: StepContext;
  #open: Pane[] = [];
  #seen = 0;

  constructor(size: number, every: number, make: MakePane, context: StepContext) {
    this.#size = size;
    this.#every = every;
    this.#make = make;
    this.#context = context;
  }

  push(row: PipelineRow): void {
    if (this.#seen % this.#every === 0) this.#open.push(this.#make(row, this.#seen));
    for (const pane of this.#open) pane.add(row);
    this.#seen += 1;
    const oldest = this.#open[0];
    if (oldest === undefined || this.#seen - oldest.start < this.#size) return;
    this.#open.shift();
    this.#context.emit(oldest.row());
  }

  advance(watermarkMs: number): number {
    return Math.min(watermarkMs, this.#open[0]?.row().timeMs ?? Number.POSITIVE_INFINITY);
  }

  dueMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  // A window that never got all its rows is no window.
  flush(): void {
    if (this.#open.length > 0) this.#context.counters.add("window.incomplete", this.#open.length);
    this.#open.length = 0;
  }

  save(): Saved {
    const saved: SavedRowWindows = { seen: this.#seen, panes: this.#open.map((pane) => pane.save()) };
    return saved;
  }

  restore(saved: Saved): void {
    const { seen, panes } = saved as SavedRowWindows; // as `save` made it
    this.#seen = seen;
    this.#open = restorePanes(panes, this.#make);
  }
}

interface SavedRowWindows {
  readonly seen: number;
  readonly panes: readonly SavedPane[];
}
