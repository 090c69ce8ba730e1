// What others had forecast for a time, as far as it was known by then: a row must never read tomorrow's newspaper
// (point-in-time correctness, as feature stores have it).

import { assert } from "../../assert.js";
import type { AsofRight } from "../../task/join-spec.js";
import { numberPosition } from "../operators/fields.js";
import type { Input } from "../operators/port.js";
import type { Saved } from "../state.js";
import type { PipelineRow } from "../types.js";
import { TakenFields } from "./asof.js";
import { type Draft, RIGHT_ROWS_MAX, type RightContext, type RightSide } from "./right.js";

interface Forecast {
  /** The time it is for. A row's own time is when it was known. */
  readonly validMs: number;
  readonly row: PipelineRow;
}

/**
 * Of the forecasts known at t, the newest one for a time in [t + ahead - back, t + ahead]; of two for one time, the
 * one made last.
 */
export class AsofForecast implements RightSide {
  readonly afterMs = 0;
  readonly #right: AsofRight;
  readonly #aheadMs: number;
  readonly #validPosition: number;
  readonly #taken: TakenFields;
  readonly #context: RightContext;
  // By `validMs`, then as they were made.
  #forecasts: Forecast[] = [];
  #last: PipelineRow | undefined;

  constructor(right: AsofRight, side: Input, context: RightContext) {
    const { valid, from } = right;
    assert(valid !== undefined, "a forecast says what it is for");
    this.#right = right;
    this.#aheadMs = valid.aheadMs;
    this.#validPosition = numberPosition(side, valid.field, ["asof", from, "valid"]);
    this.#taken = new TakenFields(right, side);
    this.#context = context;
  }

  get size(): number {
    return this.#forecasts.length;
  }

  push(row: PipelineRow): void {
    const valid = row.values[this.#validPosition];
    if (typeof valid !== "number") {
      this.#context.counters.add("join.no-valid-time");
      return;
    }
    const validMs = valid * 1_000;
    this.#forecasts.splice(this.#placeAfter(validMs), 0, { validMs, row });
    if (this.#forecasts.length <= RIGHT_ROWS_MAX) return;
    this.#forecasts.shift();
    this.#context.counters.add("join.full");
  }

  complete(draft: Draft): boolean {
    const row = this.#find(draft.timeMs);
    const { miss } = this.#right;
    if (row === undefined && miss === "drop") return false;
    this.#last = row ?? this.#last;
    this.#taken.add(miss === "hold" ? this.#last : row, draft);
    return true;
  }

  collapse(leftMs: number): void {
    const oldestMs = leftMs + this.#aheadMs - this.#right.backMs;
    let gone = 0;
    while (gone < this.#forecasts.length && this.#forecasts[gone]!.validMs < oldestMs) gone += 1;
    if (gone > 0) this.#forecasts.splice(0, gone);
  }

  save(): Saved {
    const saved: SavedForecasts = { rows: this.#forecasts.map(({ row }) => row), last: this.#last ?? null };
    return saved;
  }

  restore(saved: Saved): void {
    const { rows, last } = saved as SavedForecasts; // as `save` made it
    for (const row of rows) this.push(row);
    this.#last = last ?? undefined;
  }

  #find(timeMs: number): PipelineRow | undefined {
    const targetMs = timeMs + this.#aheadMs;
    for (let i = this.#placeAfter(targetMs) - 1; i >= 0; i--) {
      const { validMs, row } = this.#forecasts[i]!;
      if (targetMs - validMs > this.#right.backMs) return undefined;
      if (row.timeMs <= timeMs) return row;
    }
    return undefined;
  }

  // The first place with a later time: what is for the same time comes after what was made before.
  #placeAfter(validMs: number): number {
    let low = 0;
    let high = this.#forecasts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#forecasts[middle]!.validMs <= validMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface SavedForecasts {
  readonly rows: readonly PipelineRow[];
  readonly last: PipelineRow | null;
}
