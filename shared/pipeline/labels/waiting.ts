// Rows that wait until what a source says of them can no longer change.

import type { Saved } from "../state.js";
import type { FeatureRow, PipelineRow } from "../types.js";
import type { LabelBook, Progress } from "./book.js";
import type { HeardLabel, Labeller, LabellerOptions } from "./labeller.js";
import { PendingRows } from "./pending.js";

/**
 * Rows leave in the order they came, each once its label is final, so that neither the order in which labels arrive nor
 * the ticking of a clock changes any example. A row holds those behind it back no longer than it waits itself.
 */
export class WaitingLabeller implements Labeller {
  readonly #book: LabelBook;
  readonly #options: LabellerOptions;
  /** At most one row per this much event time waits; undefined: every row. */
  readonly #everyMs: number | undefined;
  readonly #pending: PendingRows<FeatureRow>;
  #slot = Number.NEGATIVE_INFINITY;
  #newestMs = Number.NEGATIVE_INFINITY;
  #watermarkMs = Number.NEGATIVE_INFINITY;
  #promisedMs = Number.NEGATIVE_INFINITY;

  constructor(book: LabelBook, everyMs: number | undefined, options: LabellerOptions) {
    this.#book = book;
    this.#everyMs = everyMs;
    this.#options = options;
    this.#pending = new PendingRows(options);
  }

  get pending(): number {
    return this.#pending.size;
  }

  push(row: PipelineRow, features: FeatureRow | undefined): void {
    this.#newestMs = row.timeMs;
    this.#book.see(row);
    if (features !== undefined) this.#wait(features);
    this.#settle(false);
  }

  hear(heard: HeardLabel): boolean {
    const isKnown = this.#book.hear(heard);
    if (isKnown) this.#settle(false);
    return isKnown;
  }

  advance(watermarkMs: number, promisedMs: number): void {
    this.#watermarkMs = watermarkMs;
    this.#promisedMs = promisedMs;
    this.#settle(false);
  }

  dueMs(): number {
    const next = this.#pending.peek();
    return next === undefined ? this.#book.staleMs() : this.#book.dueMs(next);
  }

  flush(): void {
    this.#settle(true);
  }

  drop(): void {
    if (this.#pending.size > 0) this.#options.counters.add("labels.evicted", this.#pending.size);
    this.#pending.clear();
  }

  save(): Saved {
    const saved: SavedLabeller = {
      book: this.#book.save(),
      pending: this.#pending.toArray(),
      slot: this.#slot,
      newestMs: this.#newestMs,
      watermarkMs: this.#watermarkMs,
      promisedMs: this.#promisedMs,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const state = saved as SavedLabeller; // as `save` made it
    this.#book.restore(state.book);
    for (const row of state.pending) this.#push(row);
    this.#slot = state.slot;
    this.#newestMs = state.newestMs;
    this.#watermarkMs = state.watermarkMs;
    this.#promisedMs = state.promisedMs;
  }

  #wait(row: FeatureRow): void {
    const { counters } = this.#options;
    const slot = this.#everyMs === undefined ? row.timeMs : Math.floor(row.timeMs / this.#everyMs);
    if (slot === this.#slot) {
      counters.add("examples.thinned");
      return;
    }
    this.#slot = slot;
    counters.add("labels.rows");
    this.#book.expect(row);
    this.#push(row);
  }

  #push(row: FeatureRow): void {
    if (this.#pending.push(row) !== undefined) this.#book.leave();
  }

  #settle(isEnd: boolean): void {
    const progress: Progress = { watermarkMs: this.#watermarkMs, promisedMs: this.#promisedMs, isEnd };
    for (let next = this.#pending.peek(); next !== undefined; next = this.#pending.peek()) {
      const verdict = this.#book.judge(next, progress);
      if (verdict === undefined) break;
      this.#pending.shift();
      this.#book.leave();
      this.#give(next, verdict);
    }
    // Rows come in rising event time: none before the promise, and none up to the newest.
    const next = this.#pending.peek()?.timeMs ?? Math.max(this.#promisedMs, this.#newestMs + 1);
    this.#book.forget(isEnd ? Number.POSITIVE_INFINITY : next);
  }

  #give(row: FeatureRow, verdict: number | `labels.${string}`): void {
    const { counters, emit } = this.#options;
    if (typeof verdict === "string") {
      counters.add(verdict);
      return;
    }
    counters.add("labels.matched");
    emit({ row, label: verdict, persistence: null, untilMs: row.timeMs + this.#book.reachMs });
  }
}

interface SavedLabeller {
  readonly book: Saved;
  readonly pending: readonly FeatureRow[];
  readonly slot: number;
  readonly newestMs: number;
  readonly watermarkMs: number;
  readonly promisedMs: number;
}
