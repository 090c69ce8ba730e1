// Statistics of another stream's rows around a time.

import type { IntervalRight, IntervalStatistic } from "../../task/join-spec.js";
import { Moments } from "../moments.js";
import { numberPosition } from "../operators/fields.js";
import type { Input } from "../operators/port.js";
import { statisticOf } from "../operators/statistic.js";
import { Queue } from "../queue.js";
import type { Saved } from "../state.js";
import type { PipelineRow } from "../types.js";
import { type Draft, RIGHT_ROWS_MAX, type RightContext, type RightSide } from "./right.js";

interface Wanted {
  readonly position: number;
  readonly statistics: readonly IntervalStatistic[];
}

/** Rows in [t - before, t + after], both ends included; missing values are skipped. */
export class Interval implements RightSide {
  readonly afterMs: number;
  readonly #right: IntervalRight;
  readonly #wanted: readonly Wanted[];
  readonly #context: RightContext;
  readonly #moments = new Moments();
  readonly #rows = new Queue<PipelineRow>();

  constructor(right: IntervalRight, side: Input, context: RightContext) {
    this.afterMs = right.afterMs;
    this.#right = right;
    this.#wanted = Object.entries(right.get).map(([field, statistics]) => ({
      position: numberPosition(side, field, ["interval", right.from, "get", field]),
      statistics,
    }));
    this.#context = context;
  }

  get size(): number {
    return this.#rows.size;
  }

  push(row: PipelineRow): void {
    this.#rows.push(row);
    if (this.#rows.size <= RIGHT_ROWS_MAX) return;
    this.#rows.shift();
    this.#context.counters.add("join.full");
  }

  complete(draft: Draft): boolean {
    this.collapse(draft.timeMs);
    const first = this.#rows.peek();
    const isEmpty = first === undefined || first.timeMs > draft.timeMs + this.afterMs;
    if (isEmpty && this.#right.miss === "drop") return false;
    for (const wanted of this.#wanted) this.#add(wanted, draft);
    return true;
  }

  collapse(leftMs: number): void {
    const oldestMs = leftMs - this.#right.beforeMs;
    for (let next = this.#rows.peek(); next !== undefined && next.timeMs < oldestMs; next = this.#rows.peek())
      this.#rows.shift();
  }

  save(): Saved {
    return this.#rows.toArray();
  }

  restore(saved: Saved): void {
    for (const row of saved as readonly PipelineRow[]) this.#rows.push(row); // as `save` made it
  }

  // Rows lie in rising event time, the first of them within the interval.
  #add({ position, statistics }: Wanted, { timeMs, values, filled }: Draft): void {
    this.#moments.reset();
    let last: number | null = null;
    const untilMs = timeMs + this.afterMs;
    let place = 0;
    for (
      let row = this.#rows.at(place);
      row !== undefined && row.timeMs <= untilMs;
      row = this.#rows.at(++place)
    ) {
      const value = row.values[position];
      if (typeof value !== "number") continue;
      this.#moments.add(value);
      last = value;
    }
    for (const statistic of statistics) {
      values.push(read(this.#moments, statistic, last));
      filled.push(false);
    }
  }
}

function read(moments: Moments, statistic: IntervalStatistic, last: number | null): number | null {
  if (statistic === "count") return moments.count;
  if (moments.count === 0) return null;
  return statistic === "last" ? last : statisticOf(moments, statistic);
}
