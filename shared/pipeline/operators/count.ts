// count: how many rows came lately.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import { durationMs } from "../../task/units.js";
import { History } from "../history.js";
import type { Saved } from "../state.js";
import type { PipelineRow } from "../types.js";
import {
  type FeatureComputer,
  type FeatureOperator,
  type FeatureState,
  MAX_HISTORY_ROWS,
  rowsIn,
} from "./port.js";
import { spanText } from "./statistic.js";

const params = z.strictObject({ over: durationMs.describe("Rows of (t - over, t] are counted.") });

type Params = z.output<typeof params>;

/** Rows in (t - over, t], the row itself included, whatever they hold: `count_1h`. Warm once the past covers `over`. */
export const count: FeatureOperator<Params> = {
  name: "count",
  doc: "Rows of the recent past, the row itself included: {over: 1h}. How often a sensor speaks.",
  example: { params: { over: "1h" } },
  params,
  neverMissing: true,
  reads: () => [],
  columns: ({ over }) => [`count_${spanText(over)}`],
  create: ({ over }, _input, counters) => new Count(over, counters),
  cost: ({ over }, input) => ({ stateBytes: 8 * rowsIn(over, input), warmUpMs: over, warmUpRows: 1 }),
};

class Count implements FeatureComputer {
  readonly #overMs: number;
  readonly #counters: Counters;
  // Only times are remembered.
  readonly #history = new History([], MAX_HISTORY_ROWS);
  #startMs: number | undefined;

  constructor(overMs: number, counters: Counters) {
    this.#overMs = overMs;
    this.#counters = counters;
  }

  push(row: PipelineRow, out: Float32Array, offset: number): FeatureState {
    const history = this.#history;
    if (!history.push(row)) this.#counters.add("features.history-full");
    this.#startMs = history.droppedMs ?? this.#startMs ?? row.timeMs;
    while (history.timeMs(history.first) <= row.timeMs - this.#overMs) history.forget(history.first + 1);
    out[offset] = history.end - history.first;
    return row.timeMs - this.#startMs >= this.#overMs ? "complete" : "warming-up";
  }

  save(): Saved {
    const saved: SavedCount = { history: this.#history.save(), startMs: this.#startMs ?? null };
    return saved;
  }

  restore(saved: Saved): void {
    const { history, startMs } = saved as SavedCount; // as `save` made it
    this.#history.restore(history);
    this.#startMs = startMs ?? undefined;
  }
}

interface SavedCount {
  readonly history: Saved;
  readonly startMs: number | null;
}
