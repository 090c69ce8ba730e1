// rolling: statistics of the recent past, the row itself included.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import { History } from "../history.js";
import { Moments } from "../moments.js";
import { SlidingMoments } from "../sliding.js";
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
import {
  EXTENT_RULE,
  type Extent,
  extentOf,
  extentText,
  hasOneExtent,
  overParam,
  rowsParam,
  type StatisticName,
  statisticName,
  statisticOf,
} from "./statistic.js";

// Bytes per value in the window: its time, the value, and its summary.
const BYTES_PER_VALUE = 96;

const params = z
  .strictObject({
    of: fieldNames,
    over: overParam,
    rows: rowsParam,
    get: z.array(statisticName).min(1).max(5),
  })
  .refine(hasOneExtent, EXTENT_RULE)
  .transform(({ of, get, ...written }) => ({ of, get, extent: extentOf(written) }));

type Params = z.output<typeof params>;

/**
 * Statistics of (t - over, t], or of the last so many rows. Missing values are skipped; a window without any value is
 * missing. Warm once the entity's past covers the whole window. Columns, field by field: `temp.rolling_mean_24h`,
 * or `temp.rolling_mean_30` for rows.
 */
export const rolling: FeatureOperator<Params> = {
  name: "rolling",
  doc: "Statistics of the recent past: {of: field or fields, over: 24h or rows: 30, get: [mean, std, min, max, count]}. std is the population's.",
  example: { params: { of: "temp", over: "24h", get: ["mean", "std"] } },
  params,
  reads: ({ of }) => of,
  columns({ of, get, extent }, input) {
    numberPositions(of, input);
    const suffix = extentText(extent);
    return of.flatMap((name) => get.map((statistic) => `${name}.rolling_${statistic}_${suffix}`));
  },
  create({ of, get, extent }, input, counters) {
    return new Rolling(numberPositions(of, input), get, extent, counters);
  },
  cost: costOf,
};

function costOf({ of, extent }: Params, input: Input): Cost {
  const remembered = extent.kind === "time" ? rowsIn(extent.ms, input) : extent.rows;
  return {
    stateBytes: remembered * BYTES_PER_VALUE * of.length,
    warmUpMs: extent.kind === "time" ? extent.ms : (input.spacingMs ?? 0) * (extent.rows - 1),
    warmUpRows: extent.kind === "time" ? 1 : extent.rows,
  };
}

class Rolling implements FeatureComputer {
  readonly #get: readonly StatisticName[];
  readonly #extent: Extent;
  readonly #counters: Counters;
  readonly #history: History;
  readonly #windows: readonly SlidingMoments[];
  readonly #moments = new Moments();
  #startMs: number | undefined;

  constructor(
    positions: readonly number[],
    get: readonly StatisticName[],
    extent: Extent,
    counters: Counters,
  ) {
    this.#get = get;
    this.#extent = extent;
    this.#counters = counters;
    this.#history = new History(positions, MAX_HISTORY_ROWS);
    this.#windows = positions.map(() => new SlidingMoments());
  }

  push(row: PipelineRow, out: Float32Array, offset: number): FeatureState {
    this.#remember(row);
    this.#forgetOld(row.timeMs);
    if (!this.#isWarm(row.timeMs)) return "warming-up";
    let at = offset;
    let state: FeatureState = "complete";
    for (const window of this.#windows) {
      window.read(this.#moments);
      const isEmpty = this.#moments.count === 0;
      if (isEmpty) state = "missing";
      for (const statistic of this.#get)
        out[at++] = isEmpty ? Number.NaN : statisticOf(this.#moments, statistic);
    }
    return state;
  }

  save(): Saved {
    const saved: SavedRolling = {
      history: this.#history.save(),
      windows: this.#windows.map((window) => window.save()),
      startMs: this.#startMs ?? null,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { history, windows, startMs } = saved as SavedRolling; // as `save` made it
    this.#history.restore(history);
    this.#windows.forEach((window, column) => {
      window.restore(windows[column]);
    });
    this.#startMs = startMs ?? undefined;
  }

  #remember(row: PipelineRow): void {
    if (!this.#history.push(row)) {
      this.#counters.add("features.history-full");
      for (const window of this.#windows) window.shift();
    }
    this.#startMs = this.#history.droppedMs ?? this.#startMs ?? row.timeMs;
    this.#windows.forEach((window, column) => {
      window.push(this.#history.value(this.#history.end - 1, column));
    });
  }

  #forgetOld(nowMs: number): void {
    let first = this.#history.first;
    while (this.#isOld(first, nowMs)) {
      for (const window of this.#windows) window.shift();
      first += 1;
    }
    this.#history.forget(first);
  }

  #isOld(row: number, nowMs: number): boolean {
    return this.#extent.kind === "time"
      ? this.#history.timeMs(row) <= nowMs - this.#extent.ms
      : this.#history.end - row > this.#extent.rows;
  }

  #isWarm(nowMs: number): boolean {
    return this.#extent.kind === "time"
      ? nowMs - (this.#startMs ?? nowMs) >= this.#extent.ms
      : this.#history.end >= this.#extent.rows;
  }
}

interface SavedRolling {
  readonly history: Saved;
  readonly windows: readonly Saved[];
  readonly startMs: number | null;
}
