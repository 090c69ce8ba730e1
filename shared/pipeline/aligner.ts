// Puts the rows of all sources in one order of event time, and says how far event time has come.

import type { Counters } from "../counters.js";
import type { LatePolicy } from "../task/task.js";
import { Heap } from "./heap.js";
import { SourceWatermark, type Verdict } from "./source-watermark.js";
import type { Saved, Stateful } from "./state.js";
import type { PipelineRow } from "./types.js";

/** How an aligner is set up. */
export interface AlignerOptions {
  /** Of every source, by its number. */
  readonly late: readonly LatePolicy[];
  readonly counters: Counters;
  /** Rows that wait at most; beyond, the oldest go out early and the watermark with them. */
  readonly maxPending: number;
}

/** A row and where it comes from. */
export interface Aligned {
  readonly source: number;
  readonly row: PipelineRow;
  /** The message it was decoded from, where anybody keeps it. */
  readonly raw: Uint8Array | undefined;
}

interface Waiting extends Aligned {
  /** Ties go by arrival, so that of two rows with one time the first comes first. */
  readonly arrival: number;
}

/**
 * Rows come out up to the watermark, oldest first: the least of the sources' own, and never moving back. A source that
 * has not said anything yet holds the others back until it counts as idle.
 */
export class Aligner implements Stateful {
  readonly #sources: readonly SourceWatermark[];
  readonly #counters: Counters;
  readonly #maxPending: number;
  readonly #waiting = new Heap<Waiting>(isBefore);
  #arrivals = 0;
  #watermarkMs = Number.NEGATIVE_INFINITY;

  constructor({ late, counters, maxPending }: AlignerOptions) {
    this.#sources = late.map((policy) => new SourceWatermark(policy));
    this.#counters = counters;
    this.#maxPending = maxPending;
  }

  /** No row before this time comes out any more; -Infinity before the first. */
  get watermarkMs(): number {
    return this.#watermarkMs;
  }

  /** Rows waiting for their turn. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** Takes a row in, if it fits: neither late nor too far from the mapped clock `nowMs`. */
  offer({ source, row, raw }: Aligned, nowMs: number | undefined): Verdict {
    const clock = this.#sources[source]!;
    const verdict = clock.judge(row.timeMs, nowMs);
    if (verdict !== "fits") return verdict;
    if (row.timeMs < this.#watermarkMs) return "late";
    this.#waiting.push({ source, row, raw, arrival: this.#arrivals++ });
    clock.heard(row.timeMs, nowMs);
    this.#settle();
    if (this.#waiting.size > this.#maxPending) this.#releaseEarly();
    return verdict;
  }

  /** The next row whose turn has come, or undefined. */
  take(): Aligned | undefined {
    const next = this.#waiting.peek();
    if (next === undefined || next.row.timeMs > this.#watermarkMs) return undefined;
    this.#waiting.pop();
    return next;
  }

  /** The mapped clock has come to `nowMs`: a source idle for long enough no longer holds the watermark back. */
  advance(nowMs: number): void {
    for (const source of this.#sources) source.advance(nowMs);
    this.#settle();
  }

  /** The data has ended: every waiting row's turn has come, and none up to the newest is taken again. */
  finish(): void {
    let newestMs = Number.NEGATIVE_INFINITY;
    for (const source of this.#sources) newestMs = Math.max(newestMs, source.newestMs);
    for (const source of this.#sources) source.raise(newestMs + 1);
    this.#raise(newestMs + 1);
  }

  save(): Saved {
    const saved: SavedAligner = {
      sources: this.#sources.map((source) => source.save()),
      waiting: this.#waiting.items,
      arrivals: this.#arrivals,
      watermarkMs: this.#watermarkMs,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { sources, waiting, arrivals, watermarkMs } = saved as SavedAligner; // as `save` made it
    this.#sources.forEach((source, i) => {
      source.restore(sources[i]);
    });
    for (const each of waiting) this.#waiting.push(each);
    this.#arrivals = arrivals;
    this.#watermarkMs = watermarkMs;
  }

  #settle(): void {
    let leastMs = Number.POSITIVE_INFINITY;
    for (const { watermarkMs } of this.#sources) if (watermarkMs < leastMs) leastMs = watermarkMs;
    // All silent from the start: there is no event time yet.
    if (leastMs < Number.POSITIVE_INFINITY) this.#raise(leastMs);
  }

  #raise(watermarkMs: number): void {
    if (watermarkMs > this.#watermarkMs) this.#watermarkMs = watermarkMs;
  }

  #releaseEarly(): void {
    this.#counters.add("readings.released-early");
    this.#raise(this.#waiting.peek()!.row.timeMs);
  }
}

interface SavedAligner {
  readonly sources: readonly Saved[];
  readonly waiting: readonly Waiting[];
  readonly arrivals: number;
  readonly watermarkMs: number;
}

// Of two sources at one time the one that is named first in the pipeline.
function isBefore(a: Waiting, b: Waiting): boolean {
  if (a.row.timeMs !== b.row.timeMs) return a.row.timeMs < b.row.timeMs;
  return a.source === b.source ? a.arrival < b.arrival : a.source < b.source;
}
