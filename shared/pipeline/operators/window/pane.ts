// What is remembered of a stretch of rows, and the row of statistics that it becomes.

import { QuantileSketch } from "../../quantile.js";
import type { Saved, Stateful } from "../../state.js";
import { Summary } from "../../summary.js";
import type { PipelineRow, Value } from "../../types.js";
import { type WindowStatistic, windowStatisticOf } from "../statistic.js";

/** One input field, and what is asked of it. */
export interface PaneColumn {
  readonly position: number;
  readonly statistics: readonly WindowStatistic[];
  /** Whether any of them needs the values in order. */
  readonly isOrdered: boolean;
  /** Whether any of them needs their shape or trend. */
  readonly isDeep: boolean;
}

/** How long a window turned out to be. */
export type SpanField = "seconds" | "rows";

/** What panes of one operator have in common. */
export interface PaneShape {
  /** What is said of the window itself, before the columns. */
  readonly span: readonly SpanField[];
  readonly columns: readonly PaneColumn[];
}

/** Rows put together: a window, or a part that several windows share. */
export class Pane implements Stateful {
  readonly #shape: PaneShape;
  readonly #fields: readonly Field[];
  #rows = 0;
  #first: PipelineRow | undefined;
  #lastMs = 0;

  constructor(shape: PaneShape) {
    this.#shape = shape;
    this.#fields = shape.columns.map(({ isOrdered, isDeep }) => ({
      summary: new Summary({ isDeep }),
      sketch: isOrdered ? new QuantileSketch() : undefined,
    }));
  }

  get rows(): number {
    return this.#rows;
  }

  /** Time of its first and last row; 0 while there is none. */
  get firstMs(): number {
    return this.#first?.timeMs ?? 0;
  }

  get lastMs(): number {
    return this.#lastMs;
  }

  add(row: PipelineRow): void {
    this.#first ??= row;
    this.#rows += 1;
    this.#lastMs = row.timeMs;
    const { columns } = this.#shape;
    for (let i = 0; i < columns.length; i++) {
      const value = row.values[columns[i]!.position];
      if (typeof value !== "number") continue;
      const { summary, sketch } = this.#fields[i]!;
      summary.add(value, row.timeMs);
      sketch?.add(value);
    }
  }

  /** Adds the rows of a later pane. */
  merge(later: Pane): void {
    this.#first ??= later.#first;
    this.#rows += later.#rows;
    this.#lastMs = later.#lastMs;
    this.#fields.forEach(({ summary, sketch }, i) => {
      const other = later.#fields[i]!;
      summary.merge(other.summary);
      if (other.sketch !== undefined) sketch?.merge(other.sketch);
    });
  }

  reset(): void {
    this.#first = undefined;
    this.#rows = 0;
    this.#lastMs = 0;
    for (const { summary, sketch } of this.#fields) {
      summary.reset();
      sketch?.reset();
    }
  }

  /** Its statistics, as a row of time `timeMs`. It must hold rows. */
  row(timeMs: number): PipelineRow {
    const { entity, test } = this.#first!;
    const values: Value[] = this.#shape.span.map((field) =>
      field === "rows" ? this.#rows : (this.#lastMs - this.firstMs) / 1_000,
    );
    this.#shape.columns.forEach(({ statistics }, i) => {
      pushStatistics(values, statistics, this.#fields[i]!);
    });
    return { entity, timeMs, values, filled: undefined, test };
  }

  save(): Saved {
    const saved: SavedPane = {
      rows: this.#rows,
      first: this.#first ?? null,
      lastMs: this.#lastMs,
      fields: this.#fields.map(({ summary, sketch }) => ({
        summary: summary.save(),
        sketch: sketch?.save() ?? null,
      })),
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { rows, first, lastMs, fields } = saved as SavedPane; // as `save` made it
    this.#rows = rows;
    this.#first = first ?? undefined;
    this.#lastMs = lastMs;
    this.#fields.forEach(({ summary, sketch }, i) => {
      summary.restore(fields[i]!.summary);
      sketch?.restore(fields[i]!.sketch);
    });
  }
}

interface Field {
  readonly summary: Summary;
  readonly sketch: QuantileSketch | undefined;
}

interface SavedPane {
  readonly rows: number;
  readonly first: PipelineRow | null;
  readonly lastMs: number;
  readonly fields: readonly { readonly summary: readonly number[]; readonly sketch: Saved }[];
}

// Missing values are skipped: without any there is nothing but a count of 0.
function pushStatistics(values: Value[], statistics: readonly WindowStatistic[], field: Field): void {
  const { summary, sketch } = field;
  if (summary.moments.count === 0) {
    for (const statistic of statistics) values.push(statistic === "count" ? 0 : null);
    return;
  }
  const order = sketch?.read();
  for (const statistic of statistics) values.push(windowStatisticOf(summary, order, statistic));
}
