// Fields of one sliding window, and the statistics they can be asked for at any time.

import type { Counters } from "../../counters.js";
import { History } from "../history.js";
import { Moments } from "../moments.js";
import { SlidingMoments, SlidingSummary } from "../sliding.js";
import { SortedWindow } from "../sorted-window.js";
import type { Saved, Stateful } from "../state.js";
import { Summary } from "../summary.js";
import type { PipelineRow } from "../types.js";
import { MAX_HISTORY_ROWS } from "./port.js";
import {
  type Extent,
  isDeepStatistic,
  isOrderStatistic,
  isPlainStatistic,
  statisticOf,
  type WindowStatistic,
  windowStatisticOf,
} from "./statistic.js";

interface SlidingOptions {
  readonly columns: readonly { readonly position: number; readonly statistics: readonly WindowStatistic[] }[];
  /** (t - ms, t], or so many rows, the newest included. */
  readonly extent: Extent;
  readonly counters: Counters;
  /** Counts rows that had to go for want of room. */
  readonly fullKey: string;
}

/** The rows of a sliding window, field by field. */
export class SlidingFields implements Stateful {
  /** In the order of the columns. */
  readonly fields: readonly SlidingField[];
  readonly #extent: Extent;
  readonly #counters: Counters;
  readonly #fullKey: string;
  readonly #history: History;
  #startMs: number | undefined;

  constructor({ columns, extent, counters, fullKey }: SlidingOptions) {
    this.fields = columns.map(({ statistics }) => createSlidingField(statistics));
    this.#extent = extent;
    this.#counters = counters;
    this.#fullKey = fullKey;
    const positions = columns.map(({ position }) => position);
    this.#history = new History(positions, MAX_HISTORY_ROWS);
  }

  /** Rows in the window. */
  get rows(): number {
    return this.#history.end - this.#history.first;
  }

  /** Whether the past, as far as there was room for it, covers a whole window that ends with the newest row. */
  get isWarm(): boolean {
    const newest = this.#history.end - 1;
    if (newest < 0) return false;
    return this.#extent.kind === "time"
      ? this.#history.timeMs(newest) - (this.#startMs ?? Number.POSITIVE_INFINITY) >= this.#extent.ms
      : this.rows >= this.#extent.rows;
  }

  /** Takes the next row and lets go of those that are too old for it. */
  push(row: PipelineRow): void {
    const history = this.#history;
    while (this.rows > 0 && this.#isOld(row.timeMs)) this.#forgetOldest();
    if (this.rows >= MAX_HISTORY_ROWS) {
      this.#counters.add(this.#fullKey);
      this.#startMs = history.timeMs(history.first);
      this.#forgetOldest();
    }
    history.push(row);
    this.#startMs ??= row.timeMs;
    for (let column = 0; column < this.fields.length; column++) {
      this.fields[column]!.push(history.value(history.end - 1, column), row.timeMs);
    }
  }

  save(): Saved {
    const saved: SavedFields = {
      history: this.#history.save(),
      fields: this.fields.map((field) => field.save()),
      startMs: this.#startMs ?? null,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { history, fields, startMs } = saved as SavedFields; // as `save` made it
    this.#history.restore(history);
    this.fields.forEach((field, column) => {
      field.restore(fields[column], this.#history.column(column));
    });
    this.#startMs = startMs ?? undefined;
  }

  // Whether the oldest row does not share a window with the one that comes at `nowMs`.
  #isOld(nowMs: number): boolean {
    return this.#extent.kind === "time"
      ? this.#history.timeMs(this.#history.first) <= nowMs - this.#extent.ms
      : this.rows >= this.#extent.rows;
  }

  #forgetOldest(): void {
    const { first } = this.#history;
    for (let column = 0; column < this.fields.length; column++) {
      this.fields[column]!.shift(this.#history.value(first, column));
    }
    this.#history.forget(first + 1);
  }
}

interface SavedFields {
  readonly history: Saved;
  readonly fields: readonly Saved[];
  readonly startMs: number | null;
}

/** First in, first out; NaN stands for a missing value: it takes a place and counts for nothing. */
export interface SlidingField {
  push(value: number, timeMs: number): void;
  /** Removes the oldest value, which its user remembers. */
  shift(value: number): void;
  /** Makes the statistics those of what is in the window now. */
  update(): void;
  /** As of the last `update`; null where these values have none: nothing but a count of 0 where there is no value. */
  get(statistic: WindowStatistic): number | null;
  save(): Saved;
  /** `values`: what is in the window, oldest first. */
  restore(saved: Saved, values: Float64Array): void;
}

/** A window for these statistics: none costs more than it must. */
function createSlidingField(statistics: readonly WindowStatistic[]): SlidingField {
  return statistics.every(isPlainStatistic) ? new PlainField() : new RichField(statistics);
}

/** Moments and extremes only. */
class PlainField implements SlidingField {
  readonly #window = new SlidingMoments();
  readonly #moments = new Moments();

  push(value: number): void {
    this.#window.push(value);
  }

  shift(): void {
    this.#window.shift();
  }

  update(): void {
    this.#window.read(this.#moments);
  }

  get(statistic: WindowStatistic): number | null {
    if (this.#moments.count === 0) return statistic === "count" ? 0 : null;
    return isPlainStatistic(statistic) ? statisticOf(this.#moments, statistic) : null;
  }

  save(): Saved {
    return this.#window.save();
  }

  restore(saved: Saved): void {
    this.#window.restore(saved);
  }
}

class RichField implements SlidingField {
  readonly #window: SlidingSummary<Summary>;
  readonly #summary: Summary;
  readonly #sorted: SortedWindow | undefined;

  constructor(statistics: readonly WindowStatistic[]) {
    const isDeep = statistics.some(isDeepStatistic);
    this.#window = new SlidingSummary(() => new Summary({ isDeep }));
    this.#summary = new Summary({ isDeep });
    this.#sorted = statistics.some(isOrderStatistic) ? new SortedWindow() : undefined;
  }

  push(value: number, timeMs: number): void {
    this.#window.push(value, timeMs);
    if (!Number.isNaN(value)) this.#sorted?.add(value);
  }

  shift(value: number): void {
    this.#window.shift();
    if (!Number.isNaN(value)) this.#sorted?.remove(value);
  }

  update(): void {
    this.#window.read(this.#summary);
  }

  get(statistic: WindowStatistic): number | null {
    if (this.#summary.moments.count === 0) return statistic === "count" ? 0 : null;
    return windowStatisticOf(this.#summary, this.#sorted, statistic);
  }

  save(): Saved {
    return this.#window.save();
  }

  restore(saved: Saved, values: Float64Array): void {
    this.#window.restore(saved);
    this.#sorted?.fill(values);
  }
}
