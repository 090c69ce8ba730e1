// Puts the rows of all sources in one order of event time, and says how far event time has come.

import type { Counters } from "../counters.js";
import type { LatePolicy } from "../task/task.js";
import { Heap } from "./heap.js";
import { SourceWatermark } from "./source-watermark.js";
import type { Saved, Stateful } from "./state.js";
import type { PipelineRow } from "./types.js";

/** How an aligner is set up. */
export interface AlignerOptions {
  /** Of every source, by its number. */
  readonly late: readonly LatePolicy[];
  readonly counters: Counters;
  /** Rows that wait at most; beyond, the oldest go out early and the watermark with them. */
  readonly maxPending: number;
  /** Late rows kept aside at most; beyond, the oldest are forgotten. */
  readonly maxAside: number;
}

/** A row and where it comes from. */
export interface Aligned {
  readonly source: number;
  readonly row: PipelineRow;
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
  readonly #late: readonly LatePolicy[];
  readonly #sources: readonly SourceWatermark[];
  readonly #counters: Counters;
  readonly #maxPending: number;
  readonly #maxAside: number;
  readonly #waiting = new Heap<Waiting>(isBefore);
  readonly #aside: PipelineRow[] = [];
  #arrivals = 0;
  #watermarkMs = Number.NEGATIVE_INFINITY;

  constructor({ late, counters, maxPending, maxAside }: AlignerOptions) {
    this.#late = late;
    this.#sources = late.map((policy) => new SourceWatermark(policy));
    this.#counters = counters;
    this.#maxPending = maxPending;
    this.#maxAside = maxAside;
  }

  /** No row before this time comes out any more; -Infinity before the first. */
  get watermarkMs(): number {
    return this.#watermarkMs;
  }

  /** Late rows kept aside by the policy `side`, oldest first. */
  get aside(): readonly PipelineRow[] {
    return this.#aside;
  }

  /** Rows waiting for their turn. */
  get pending(): number {
    return this.#waiting.size;
  }

  /**
   * Takes a row in, or refuses it (counted): too far from the mapped clock `nowMs`, or late. A late one of a source
   * with the policy `update` is handed back, for a revision.
   */
  offer(source: number, row: PipelineRow, nowMs: number | undefined): "settled" | "to-revise" {
    const clock = this.#sources[source]!;
    const verdict = row.timeMs < this.#watermarkMs ? "late" : clock.judge(row.timeMs, nowMs);
    if (verdict === "late" && this.#late[source]!.then === "update") return "to-revise";
    if (verdict !== "fits") {
      this.#refuse(source, row, verdict);
      return "settled";
    }
    this.#waiting.push({ source, row, arrival: this.#arrivals++ });
    clock.heard(row.timeMs, nowMs);
    this.#settle();
    if (this.#waiting.size > this.#maxPending) this.#releaseEarly();
    return "settled";
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
      aside: this.#aside,
      arrivals: this.#arrivals,
      watermarkMs: this.#watermarkMs,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { sources, waiting, aside, arrivals, watermarkMs } = saved as SavedAligner; // as `save` made it
    this.#sources.forEach((source, i) => {
      source.restore(sources[i]);
    });
    for (const each of waiting) this.#waiting.push(each);
    this.#aside.push(...aside);
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

  #refuse(source: number, row: PipelineRow, verdict: "late" | "future" | "ancient"): void {
    this.#counters.add(`readings.${verdict}`);
    if (verdict !== "late" || this.#late[source]!.then === "drop") return;
    this.#aside.push(row);
    if (this.#aside.length > this.#maxAside) this.#aside.shift();
  }

  #releaseEarly(): void {
    this.#counters.add("readings.released-early");
    this.#raise(this.#waiting.peek()!.row.timeMs);
  }
}

interface SavedAligner {
  readonly sources: readonly Saved[];
  readonly waiting: readonly Waiting[];
  readonly aside: readonly PipelineRow[];
  readonly arrivals: number;
  readonly watermarkMs: number;
}

// Of two sources at one time the one that is named first in the pipeline.
function isBefore(a: Waiting, b: Waiting): boolean {
  if (a.row.timeMs !== b.row.timeMs) return a.row.timeMs < b.row.timeMs;
  return a.source === b.source ? a.arrival < b.arrival : a.source < b.source;
}
