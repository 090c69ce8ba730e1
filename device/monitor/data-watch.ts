// Watches columns against a reference: the rows there were when a version was taken up, or those that came first after it.

import { DataDrift, REFERENCE_ROWS_MAX } from "../../shared/drift/data/data-drift.js";
import { DATA_DRIFT_DEFAULTS, type DriftRow, type DriftWindow } from "../../shared/drift/data/port.js";
import type { Saved, Stateful } from "../../shared/pipeline/state.js";
import type { DataDriftSpec } from "../../shared/task/task.js";

/** Rows that wait to become the reference. */
const BYTES_MAX = 1024 * 1024;
/** Time, and a place in a list. */
const OVERHEAD_BYTES = 120;
/** Windows of rows that a reference is made from, at least. */
const REFERENCE_WINDOWS = 2;

/** One column as it was found last. */
export interface WatchedColumn {
  readonly column: string;
  readonly effect: number;
  readonly drifts: boolean;
  /** Event time of the first row of the window that first said so; undefined unless it differs. */
  readonly sinceMs: number | undefined;
}

/** Of all columns together. */
export interface DataDriftState {
  readonly isDrifting: boolean;
  /** Event time, of the column that has differed for longest. */
  readonly sinceMs: number | undefined;
}

const NO_DRIFT: DataDriftState = { isDrifting: false, sinceMs: undefined };

export interface DataWatchOptions {
  readonly columns: readonly string[];
  readonly spec: DataDriftSpec;
  readonly seasonMs: number | undefined;
}

/**
 * One reference, and windows against it. Making a reference takes some 10 ms a column, so it is done a column a row: which row
 * ends it is the same in every replay.
 */
export class DataWatch implements Stateful {
  readonly #options: DataWatchOptions;
  readonly #windows: DataDrift;
  readonly #rowsWanted: number;
  readonly #rowsMax: number;
  /** Rows that are to be the reference; undefined once it is made. */
  #rows: DriftRow[] | undefined = [];
  #making: Generator<void, void> | undefined;
  #stepsMade = 0;
  /** As found last, by column; undefined where a column could not be tested. */
  #found: readonly (WatchedColumn | undefined)[];
  #drift: DataDriftState = NO_DRIFT;

  constructor(options: DataWatchOptions) {
    const { columns, spec, seasonMs } = options;
    this.#options = options;
    this.#windows = new DataDrift({
      ...{ columns, seasonMs, windowRows: spec.rows, test: spec.test, alpha: spec.alpha },
      floor: { ...DATA_DRIFT_DEFAULTS.floor, numbers: spec.effect },
      consecutive: spec.windows,
    });
    const fitting = Math.floor(BYTES_MAX / (4 * columns.length + OVERHEAD_BYTES));
    this.#rowsMax = Math.max(1, Math.min(REFERENCE_ROWS_MAX, fitting));
    this.#rowsWanted = Math.min(this.#rowsMax, REFERENCE_WINDOWS * spec.rows);
    this.#found = columns.map(() => undefined);
  }

  /** Rows that a reference is made from, at most. */
  get referenceRowsMax(): number {
    return this.#rowsMax;
  }

  /** Columns that have been tested, as they were found last. */
  get columns(): readonly WatchedColumn[] {
    return this.#found.filter((column) => column !== undefined);
  }

  /** Whether a column drifts now, and since when. */
  get drift(): DataDriftState {
    return this.#drift;
  }

  /** Rows of before, oldest first: where they are too few, those that come next are added. */
  begin(rows: readonly DriftRow[]): void {
    this.#rows = rows.slice(-this.#rowsMax);
    this.#makeIfEnough();
  }

  push(row: DriftRow): void {
    if (this.#rows === undefined) {
      const window = this.#windows.push(row);
      if (window !== undefined) this.#judge(window);
    } else if (this.#making !== undefined) this.#step();
    else {
      this.#rows.push(row);
      this.#makeIfEnough();
    }
  }

  save(): Saved {
    const rows = this.#rows;
    const saved: SavedDataWatch = {
      drift: rows === undefined ? this.#windows.save() : null,
      waiting: rows === undefined ? null : pack(rows, this.#options.columns.length),
      isMaking: this.#making !== undefined,
      steps: this.#stepsMade,
      found: this.#found.map((found) =>
        found === undefined ? null : [found.effect, found.drifts, found.sinceMs ?? null],
      ),
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { drift, waiting, isMaking, steps, found } = saved as SavedDataWatch; // as `save` made it
    const { columns } = this.#options;
    this.#found = found.map((each, c) => {
      if (each === null) return undefined;
      const [effect, drifts, sinceMs] = each;
      return { column: columns[c]!, effect, drifts, sinceMs: sinceMs ?? undefined };
    });
    this.#drift = driftOf(this.columns);
    if (waiting === null) {
      this.#rows = undefined;
      this.#windows.restore(drift);
      return;
    }
    this.#rows = unpack(waiting, columns.length);
    if (isMaking) this.#making = this.#windows.freezeByColumn(this.#rows);
    for (let step = 0; step < steps; step++) this.#step();
  }

  #makeIfEnough(): void {
    const rows = this.#rows ?? [];
    const { seasonMs = 0 } = this.#options;
    const spanMs = rows.length === 0 ? 0 : rows.at(-1)!.timeMs - rows[0]!.timeMs;
    const isEnough = rows.length >= this.#rowsWanted && spanMs >= seasonMs;
    // A season longer than there is room for: the columns are not testable, and say so.
    if (isEnough || rows.length >= this.#rowsMax) this.#making = this.#windows.freezeByColumn(rows);
  }

  #step(): void {
    this.#stepsMade += 1;
    if (this.#making?.next().done !== true) return;
    this.#making = undefined;
    this.#rows = undefined;
    this.#stepsMade = 0;
  }

  #judge({ fromMs, columns }: DriftWindow): void {
    this.#found = columns.map((verdict, c) => {
      const before = this.#found[c];
      if (verdict.verdict === "not-testable") return verdict.reason === "window-open" ? before : undefined;
      const { effect, differed } = verdict;
      const sinceMs = differed === 0 ? undefined : ((differed > 1 ? before?.sinceMs : undefined) ?? fromMs);
      const column = this.#options.columns[c]!;
      return { column, effect, drifts: verdict.verdict === "drift", sinceMs };
    });
    this.#drift = driftOf(this.columns);
  }
}

function driftOf(columns: readonly WatchedColumn[]): DataDriftState {
  const drifting = columns.filter(({ drifts }) => drifts);
  if (drifting.length === 0) return NO_DRIFT;
  const sinceMs = Math.min(...drifting.map((column) => column.sinceMs ?? Number.POSITIVE_INFINITY));
  return { isDrifting: true, sinceMs: Number.isFinite(sinceMs) ? sinceMs : undefined };
}

interface SavedDataWatch {
  readonly drift: Saved;
  readonly waiting: PackedRows | null;
  readonly isMaking: boolean;
  readonly steps: number;
  readonly found: readonly (readonly [effect: number, drifts: boolean, sinceMs: number | null] | null)[];
}

interface PackedRows {
  readonly timesMs: Float64Array;
  readonly features: Float32Array;
}

function pack(rows: readonly DriftRow[], columns: number): PackedRows {
  const features = new Float32Array(rows.length * columns);
  rows.forEach((row, at) => {
    features.set(row.features, at * columns);
  });
  return { timesMs: Float64Array.from(rows, ({ timeMs }) => timeMs), features };
}

function unpack({ timesMs, features }: PackedRows, columns: number): DriftRow[] {
  return Array.from(timesMs, (timeMs, at) => ({
    timeMs,
    features: features.slice(at * columns, (at + 1) * columns),
  }));
}
