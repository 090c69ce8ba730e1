// Sliding windows (t - over, t]: one row for each row that comes in.

import type { Counters } from "../../../counters.js";
import { History } from "../../history.js";
import { SlidingSummary } from "../../sliding.js";
import { SortedWindow } from "../../sorted-window.js";
import type { Saved } from "../../state.js";
import { Summary } from "../../summary.js";
import type { PipelineRow, Value } from "../../types.js";
import { MAX_HISTORY_ROWS, type StepContext, type StepInstance } from "../port.js";
import { windowStatisticOf } from "../statistic.js";
import type { WindowOutput } from "./output.js";
import type { PaneColumn, PaneShape } from "./pane.js";

/** Exact, whatever is asked. A row is named by its own time and holds what came before it, itself included. */
export class SlidingWindows implements StepInstance {
  readonly #overMs: number;
  readonly #output: WindowOutput;
  readonly #emit: StepContext["emit"];
  readonly #counters: Counters;
  readonly #history: History;
  readonly #fields: readonly SlidingField[];

  constructor(overMs: number, { columns }: PaneShape, output: WindowOutput, context: StepContext) {
    this.#overMs = overMs;
    this.#output = output;
    this.#emit = context.emit;
    this.#counters = context.counters;
    const positions = columns.map(({ position }) => position);
    this.#history = new History(positions, MAX_HISTORY_ROWS);
    this.#fields = columns.map((column) => new SlidingField(column));
  }

  push(row: PipelineRow): void {
    this.#forgetOld(row.timeMs);
    this.#remember(row);
    if (!this.#output.covers(this.#history.end - this.#history.first, this.#overMs)) return;
    const values: Value[] = [];
    for (const field of this.#fields) field.read(values);
    this.#emit({ ...row, values, filled: undefined });
  }

  advance(watermarkMs: number): number {
    return watermarkMs;
  }

  dueMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  flush(): void {}

  save(): Saved {
    const saved: SavedSliding = {
      history: this.#history.save(),
      summaries: this.#fields.map(({ summary }) => summary.save()),
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { history, summaries } = saved as SavedSliding; // as `save` made it
    this.#history.restore(history);
    this.#fields.forEach((field, column) => {
      field.summary.restore(summaries[column]);
      for (let at = this.#history.first; at < this.#history.end; at++) {
        field.sort(this.#history.value(at, column));
      }
    });
  }

  #forgetOld(nowMs: number): void {
    let first = this.#history.first;
    for (; first < this.#history.end && this.#history.timeMs(first) <= nowMs - this.#overMs; first++) {
      this.#shift(first);
    }
    this.#history.forget(first);
  }

  #remember(row: PipelineRow): void {
    const oldest = this.#history.first;
    if (this.#history.end - oldest >= MAX_HISTORY_ROWS) {
      this.#counters.add("window.history-full");
      this.#shift(oldest);
    }
    this.#history.push(row);
    this.#fields.forEach((field, column) => {
      field.push(this.#history.value(this.#history.end - 1, column), row.timeMs);
    });
  }

  #shift(at: number): void {
    this.#fields.forEach((field, column) => {
      field.shift(this.#history.value(at, column));
    });
  }
}

/** One field of a sliding window; NaN stands for a missing value. */
class SlidingField {
  readonly summary: SlidingSummary<Summary>;
  readonly #column: PaneColumn;
  readonly #sorted: SortedWindow | undefined;
  readonly #read: Summary;

  constructor(column: PaneColumn) {
    this.#column = column;
    this.summary = new SlidingSummary(() => new Summary(column));
    this.#read = new Summary(column);
    this.#sorted = column.isOrdered ? new SortedWindow() : undefined;
  }

  push(value: number, timeMs: number): void {
    this.summary.push(value, timeMs);
    this.sort(value);
  }

  sort(value: number): void {
    if (!Number.isNaN(value)) this.#sorted?.add(value);
  }

  /** Removes the oldest value. */
  shift(value: number): void {
    this.summary.shift();
    if (!Number.isNaN(value)) this.#sorted?.remove(value);
  }

  read(values: Value[]): void {
    this.summary.read(this.#read);
    const isEmpty = this.#read.moments.count === 0;
    const order = isEmpty ? undefined : this.#sorted?.read();
    for (const statistic of this.#column.statistics) {
      if (isEmpty) values.push(statistic === "count" ? 0 : null);
      else values.push(windowStatisticOf(this.#read, order, statistic));
    }
  }
}

interface SavedSliding {
  readonly history: Saved;
  readonly summaries: readonly Saved[];
}
