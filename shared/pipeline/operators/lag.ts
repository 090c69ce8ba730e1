// lag: a number's past.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import { durationMs } from "../../task/units.js";
import { History } from "../history.js";
import type { Saved } from "../state.js";
import type { PipelineRow } from "../types.js";
import { fieldNames, numberPositions } from "./fields.js";
import {
  type Cost,
  type FeatureComputer,
  type FeatureOperator,
  type FeatureState,
  type Input,
  MAX_HISTORY_ROWS,
  rowsIn,
} from "./port.js";
import { spanText } from "./statistic.js";

const MAX_LAGS = 1_000;
const MAX_ROWS = 100_000;
const ROWS_RULE = "expected a number of rows, a list of them, or a range such as 1..29";

const lags = <Item extends z.ZodType<number>>(item: Item) => z.array(item).min(1).max(MAX_LAGS);

const rowLag = z.int().min(1).max(MAX_ROWS);

const rowRange = z
  .string({ error: ROWS_RULE })
  .regex(/^\d{1,6}\.\.\d{1,6}$/, { error: ROWS_RULE })
  .transform((text): number[] => {
    const [from = 0, to = 0] = text.split("..").map(Number);
    return to - from < MAX_LAGS ? Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i) : [];
  })
  .pipe(lags(rowLag));

const asList = (value: number | number[]) => (typeof value === "number" ? [value] : value);

const params = z
  .strictObject({
    of: fieldNames,
    by: z
      .union([durationMs, lags(durationMs)], { error: "expected a duration or a list, such as [1h, 2h]" })
      .transform(asList)
      .optional()
      .describe("How far back in event time."),
    rows: z
      .union([rowLag, lags(rowLag), rowRange], { error: ROWS_RULE })
      .transform(asList)
      .optional()
      .describe("How far back in rows: 1, [1, 2] or 1..29."),
  })
  .refine(({ by, rows }) => (by === undefined) !== (rows === undefined), {
    error: 'expected exactly one of "by" or "rows"',
  });

type Params = z.output<typeof params>;

/**
 * The value at exactly t - by (put `resample` before it: no neighbour is taken instead), or so many rows before.
 * Columns, field by field: `pm25.lag_1h`, or `s2.lag_1` for rows.
 */
export const lag: FeatureOperator<Params> = {
  name: "lag",
  doc: "Past values of numbers: {of: field or fields, by: [1h, 2h]}, or {of, rows: 1..29}. By time, the row at exactly that time is read.",
  example: { params: { of: "pm25", by: ["1h", "24h"] } },
  params,
  reads: ({ of }) => of,
  columns({ of, by, rows }, input) {
    numberPositions(of, input);
    const suffixes = by?.map(spanText) ?? rows?.map(String) ?? [];
    return of.flatMap((name) => suffixes.map((suffix) => `${name}.lag_${suffix}`));
  },
  create({ of, by, rows }, input, counters) {
    const positions = numberPositions(of, input);
    return by === undefined ? new RowLag(positions, rows ?? []) : new TimeLag(positions, by, counters);
  },
  cost: costOf,
};

function costOf({ of, by, rows = [] }: Params, input: Input): Cost {
  const spanMs = Math.max(0, ...(by ?? []));
  const warmUpRows = Math.max(0, ...rows) + 1;
  const remembered = by === undefined ? warmUpRows : rowsIn(spanMs, input);
  return {
    stateBytes: remembered * 8 * (of.length + 1),
    warmUpMs: by === undefined ? (input.spacingMs ?? 0) * (warmUpRows - 1) : spanMs,
    warmUpRows: by === undefined ? warmUpRows : 1,
  };
}

class RowLag implements FeatureComputer {
  readonly #lags: readonly number[];
  readonly #depth: number;
  readonly #width: number;
  readonly #history: History;

  constructor(positions: readonly number[], lags: readonly number[]) {
    this.#lags = lags;
    this.#depth = Math.max(...lags);
    this.#width = positions.length;
    this.#history = new History(positions, this.#depth + 1);
  }

  push(row: PipelineRow, out: Float32Array, offset: number): FeatureState {
    this.#history.push(row);
    const now = this.#history.end - 1;
    if (now - this.#history.first < this.#depth) return "warming-up";
    let at = offset;
    let state: FeatureState = "complete";
    for (let column = 0; column < this.#width; column++) {
      for (const lag of this.#lags) {
        const value = this.#history.value(now - lag, column);
        if (Number.isNaN(value)) state = "missing";
        out[at++] = value;
      }
    }
    return state;
  }

  save(): Saved {
    return this.#history.save();
  }

  restore(saved: Saved): void {
    this.#history.restore(saved);
  }
}

class TimeLag implements FeatureComputer {
  readonly #lagsMs: readonly number[];
  readonly #longestMs: number;
  readonly #width: number;
  readonly #history: History;
  readonly #counters: Counters;
  // For each lag the first remembered row that is not too old for it; they only move forward.
  readonly #cursors: number[];
  #startMs: number | undefined;

  constructor(positions: readonly number[], lagsMs: readonly number[], counters: Counters) {
    this.#lagsMs = lagsMs;
    this.#longestMs = Math.max(...lagsMs);
    this.#width = positions.length;
    this.#history = new History(positions, MAX_HISTORY_ROWS);
    this.#counters = counters;
    this.#cursors = lagsMs.map(() => 0);
  }

  push(row: PipelineRow, out: Float32Array, offset: number): FeatureState {
    if (!this.#history.push(row)) this.#counters.add("features.history-full");
    this.#startMs = this.#history.droppedMs ?? this.#startMs ?? row.timeMs;
    const isWarm = row.timeMs - this.#longestMs >= this.#startMs;
    const isComplete = this.#read(row.timeMs, out, offset);
    this.#history.forget(Math.min(...this.#cursors));
    if (isComplete) return "complete";
    return isWarm ? "missing" : "warming-up";
  }

  save(): Saved {
    const saved: SavedTimeLag = {
      history: this.#history.save(),
      cursors: [...this.#cursors],
      startMs: this.#startMs ?? null,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { history, cursors, startMs } = saved as SavedTimeLag; // as `save` made it
    this.#history.restore(history);
    cursors.forEach((cursor, lag) => {
      this.#cursors[lag] = cursor;
    });
    this.#startMs = startMs ?? undefined;
  }

  // Moves every cursor, even when an earlier lag was missing.
  #read(nowMs: number, out: Float32Array, offset: number): boolean {
    let isComplete = true;
    for (let i = 0; i < this.#lagsMs.length; i++) {
      const row = this.#seek(i, nowMs - this.#lagsMs[i]!);
      for (let column = 0; column < this.#width; column++) {
        const value = row === undefined ? Number.NaN : this.#history.value(row, column);
        if (Number.isNaN(value)) isComplete = false;
        out[offset + column * this.#lagsMs.length + i] = value;
      }
    }
    return isComplete;
  }

  #seek(lag: number, timeMs: number): number | undefined {
    let row = Math.max(this.#cursors[lag]!, this.#history.first);
    while (row < this.#history.end && this.#history.timeMs(row) < timeMs) row += 1;
    this.#cursors[lag] = row;
    return row < this.#history.end && this.#history.timeMs(row) === timeMs ? row : undefined;
  }
}

interface SavedTimeLag {
  readonly history: Saved;
  readonly cursors: readonly number[];
  readonly startMs: number | null;
}
