// The watch over a device's features: window after window against the rows its model was trained on.

import { assert } from "../../assert.js";
import type { Saved, Stateful } from "../../pipeline/state.js";
import { adjust } from "./benjamini-hochberg.js";
import { type Comparison, compare, createReference, type ReferenceNumbers } from "./column-reference.js";
import { ColumnWindow, type SavedColumnWindow } from "./column-window.js";
import type { ColumnDrift, DataDriftOptions, DriftRow, DriftWindow, NotTestable } from "./port.js";
import { cycleAt, phaseOf, termsAt } from "./season.js";

/** Rows that a reference is made from, at most: the newest. */
export const REFERENCE_ROWS_MAX = 8_192;

/**
 * Tells which columns have left the distribution of their reference, and by how much. A column differs when, among all
 * columns tested, its adjusted p is below `alpha` and its effect above `floor`; it has drifted when it did so in `consecutive`
 * windows running. Rows of telemetry resemble those before them: a window counts for the independent rows it is worth, and
 * a column too slow for that gets longer windows, up to 16 times the others'.
 *
 * Memory per column: 4 bytes for each of at most 1,000 values of the reference and 1,024 of the window, twice that with a
 * season. A row costs a store per column; a window's end a sort and some ten passes over each column.
 */
export class DataDrift implements Stateful {
  readonly #options: DataDriftOptions;
  #columns: readonly (Column | NotTestable)[] = [];
  #rows = 0;
  #windows = 0;
  #fromMs = 0;

  constructor(options: DataDriftOptions) {
    this.#options = options;
  }

  /** Whether there is a reference to compare with. */
  get hasReference(): boolean {
    return this.#columns.length > 0;
  }

  /**
   * Makes `rows` the reference, in place of any other, and begins a new window. They come in the order a device saw them; the
   * newest 8,192 count. With a season they must span it at least once.
   */
  freeze(rows: readonly DriftRow[]): void {
    for (const _ of this.freezeByColumn(rows));
  }

  /**
   * The same in steps, a column each, for a device that must not stand still: some 10 ms a column on a desktop. Until the last
   * step the old reference stands, and rows may be pushed.
   */
  *freezeByColumn(rows: readonly DriftRow[]): Generator<void, void> {
    const newest = rows.slice(-REFERENCE_ROWS_MAX);
    const { columns, seasonMs } = this.#options;
    const isWhole = seasonMs === undefined || spanMs(newest) >= seasonMs;
    const phases = Float32Array.from(seasonMs === undefined ? [] : newest, ({ timeMs }) =>
      phaseOf(timeMs, seasonMs!),
    );
    const frozen: (Column | NotTestable)[] = [];
    for (let c = 0; c < columns.length; c++) {
      const values = Float64Array.from(newest, ({ features }) =>
        Number.isFinite(features[c]!) ? features[c]! : Number.NaN,
      );
      const reference = isWhole ? createReference({ values, phases }, this.#options) : "season";
      frozen.push(this.#columnOf(reference));
      yield;
    }
    this.#columns = frozen;
    this.#rows = 0;
    this.#windows = 0;
  }

  /** One row, in the order they come. What the window it ends tells, if it ends one. */
  push({ timeMs, features }: DriftRow): DriftWindow | undefined {
    const { columns, seasonMs, windowRows } = this.#options;
    assert(features.length === columns.length, "a row has a value for each column");
    if (this.#rows === 0) this.#fromMs = timeMs;
    this.#rows += 1;
    const phase = seasonMs === undefined ? 0 : phaseOf(timeMs, seasonMs);
    const terms = seasonMs === undefined ? NO_TERMS : termsAt(phase);
    this.#columns.forEach((column, c) => {
      if (typeof column === "object") column.add(features[c]!, phase, terms);
    });
    if (this.#rows < windowRows) return undefined;
    this.#rows = 0;
    this.#windows += 1;
    return { fromMs: this.#fromMs, toMs: timeMs, rows: windowRows, columns: this.#judge() };
  }

  #judge(): readonly ColumnDrift[] {
    if (!this.hasReference) return this.#options.columns.map(() => notTestable("no-reference"));
    const compared = this.#columns.map((column) =>
      typeof column === "object" ? column.close(this.#windows) : column,
    );
    const tested = compared.flatMap((each, c) => (typeof each === "object" ? [c] : []));
    const adjusted = adjust(compared.flatMap((each) => (typeof each === "object" ? [each.p] : [])));
    return this.#columns.map((column, c) => {
      if (typeof column === "string") return notTestable(column);
      const comparison = compared[c]!;
      if (typeof comparison === "string") return notTestable(comparison);
      return column.judge(comparison, adjusted[tested.indexOf(c)]!);
    });
  }

  #columnOf(reference: ReferenceNumbers | NotTestable): Column | NotTestable {
    return typeof reference === "object" ? new Column(reference, this.#options) : reference;
  }

  save(): Saved {
    const saved: SavedDataDrift = {
      rows: this.#rows,
      windows: this.#windows,
      fromMs: this.#fromMs,
      columns: this.#columns.map((column) =>
        typeof column === "object" ? column.save() : [column, null, 0],
      ),
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { rows, windows, fromMs, columns } = saved as SavedDataDrift; // as `save` made it
    this.#rows = rows;
    this.#windows = windows;
    this.#fromMs = fromMs;
    this.#columns = columns.map(([reference, window, differed]) => {
      const column = this.#columnOf(reference);
      if (typeof column === "object" && window !== null) column.restore(window, differed);
      return column;
    });
  }
}

type SavedColumn = readonly [ReferenceNumbers | NotTestable, SavedColumnWindow | null, number];

interface SavedDataDrift {
  readonly rows: number;
  readonly windows: number;
  readonly fromMs: number;
  readonly columns: readonly SavedColumn[];
}

const NO_TERMS = new Float64Array();

/** One column: its reference, the window being filled, and how many windows running have differed. */
class Column {
  readonly #reference: ReferenceNumbers;
  readonly #options: DataDriftOptions;
  readonly #window: ColumnWindow;
  #differed = 0;

  constructor(reference: ReferenceNumbers, options: DataDriftOptions) {
    this.#reference = reference;
    this.#options = options;
    this.#window = new ColumnWindow(reference.span * options.windowRows, options.seasonMs !== undefined);
  }

  add(value: number, phase: number, terms: Float64Array): void {
    this.#window.add(value - cycleAt(this.#reference.cycle, terms), phase);
  }

  /** The end of everybody's window number `windows`: this column's own, if it has come to its end too. */
  close(windows: number): Comparison | NotTestable {
    if (windows % this.#reference.span !== 0) return "window-open";
    const comparison = compare(this.#reference, this.#window, this.#options.test);
    this.#window.clear();
    if (typeof comparison === "string") this.#differed = 0;
    return comparison;
  }

  judge(comparison: Comparison, adjusted: number): ColumnDrift {
    const { alpha, floor, consecutive } = this.#options;
    const usual = comparison.test === "chi-square" ? floor.categories : floor.numbers;
    const least = Math.max(usual, this.#reference.ownEffect);
    const isDifferent = adjusted < alpha && comparison.effect > least;
    this.#differed = isDifferent ? this.#differed + 1 : 0;
    const verdict = this.#differed >= consecutive ? "drift" : "ok";
    return { verdict, ...comparison, adjusted, floor: least, differed: this.#differed };
  }

  save(): SavedColumn {
    return [this.#reference, this.#window.save(), this.#differed];
  }

  restore(window: SavedColumnWindow, differed: number): void {
    this.#window.restore(window);
    this.#differed = differed;
  }
}

function notTestable(reason: NotTestable): ColumnDrift {
  return { verdict: "not-testable", reason };
}

function spanMs(rows: readonly DriftRow[]): number {
  return rows.length === 0 ? 0 : rows.at(-1)!.timeMs - rows[0]!.timeMs;
}
