// Puts one source's rows in order of event time, and says how far event time has come.

import type { Counters } from "../counters.js";
import type { LatePolicy } from "../task/task.js";
import { Heap } from "./heap.js";
import type { PipelineRow } from "./types.js";

/** How an aligner is set up. */
export interface AlignerOptions {
  readonly late: LatePolicy;
  readonly counters: Counters;
  /** Rows that wait at most; beyond, the oldest go out early and the watermark with them. */
  readonly maxPending: number;
  /** Late rows kept aside at most; beyond, the oldest are forgotten. */
  readonly maxAside: number;
}

interface Waiting {
  readonly row: PipelineRow;
  /** Ties go by arrival, so that of two rows with one time the first comes first. */
  readonly arrival: number;
}

/**
 * The watermark W = newest event time - disorder promises: no row before W comes out any more. It never moves back.
 * A row before W is late; rows up to W come out, oldest first. A source without data for `idleMs` moves its own W on
 * by the mapped time that has passed since; where there is no mapped clock (`nowMs` undefined) only data moves it.
 */
export class Aligner {
  readonly #late: LatePolicy;
  readonly #counters: Counters;
  readonly #maxPending: number;
  readonly #maxAside: number;
  readonly #waiting = new Heap<Waiting>(isBefore);
  readonly #aside: PipelineRow[] = [];
  #arrivals = 0;
  #newestMs = Number.NEGATIVE_INFINITY;
  #heardMs: number | undefined;
  #watermarkMs = Number.NEGATIVE_INFINITY;

  constructor({ late, counters, maxPending, maxAside }: AlignerOptions) {
    this.#late = late;
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

  /** Takes a row in, or refuses it (counted): too far ahead of the mapped clock `nowMs`, or late. */
  offer(row: PipelineRow, nowMs: number | undefined): void {
    if (nowMs !== undefined && row.timeMs > nowMs + this.#late.futureMs) {
      this.#counters.add("readings.future");
      return;
    }
    if (row.timeMs < this.#watermarkMs) {
      this.#refuseLate(row);
      return;
    }
    this.#waiting.push({ row, arrival: this.#arrivals++ });
    this.#newestMs = Math.max(this.#newestMs, row.timeMs);
    this.#heardMs = nowMs ?? this.#heardMs;
    this.#raise(this.#newestMs - this.#late.disorderMs);
    if (this.#waiting.size > this.#maxPending) this.#releaseEarly();
  }

  /** The next row whose turn has come, or undefined. */
  take(): PipelineRow | undefined {
    const next = this.#waiting.peek();
    if (next === undefined || next.row.timeMs > this.#watermarkMs) return undefined;
    this.#waiting.pop();
    return next.row;
  }

  /** The mapped clock has come to `nowMs`: a source idle for long enough no longer holds the watermark back. */
  advance(nowMs: number): void {
    // Before the first data that came with a clock there is nothing to count idleness from.
    this.#heardMs ??= nowMs;
    const idleMs = nowMs - this.#heardMs;
    if (idleMs >= this.#late.idleMs) this.#raise(this.#newestMs + idleMs - this.#late.disorderMs);
  }

  /** The data has ended: every waiting row's turn has come, and none up to the newest is taken again. */
  finish(): void {
    this.#raise(this.#newestMs + 1);
  }

  #raise(watermarkMs: number): void {
    if (watermarkMs > this.#watermarkMs) this.#watermarkMs = watermarkMs;
  }

  #refuseLate(row: PipelineRow): void {
    this.#counters.add("readings.late");
    if (this.#late.then === "drop") return;
    this.#aside.push(row);
    if (this.#aside.length > this.#maxAside) this.#aside.shift();
  }

  #releaseEarly(): void {
    this.#counters.add("readings.released-early");
    this.#raise(this.#waiting.peek()!.row.timeMs);
  }
}

function isBefore(a: Waiting, b: Waiting): boolean {
  return a.row.timeMs === b.row.timeMs ? a.arrival < b.arrival : a.row.timeMs < b.row.timeMs;
}
