// How far event time has come in one source, and whether a reading fits in.

import type { LatePolicy } from "../task/task.js";
import type { Saved, Stateful } from "./state.js";

/** What a source's clock says of a reading: it fits in, or why not. */
export type Verdict = "fits" | "late" | "future" | "ancient";

/**
 * The watermark W = newest event time - disorder promises: no row before W comes out any more. It never moves back.
 * A source without data for `idleMs` moves its own W on by the mapped time that has passed since; where there is no
 * mapped clock (`nowMs` undefined) only data moves it.
 */
export class SourceWatermark implements Stateful {
  readonly #late: LatePolicy;
  #newestMs = Number.NEGATIVE_INFINITY;
  #heardMs: number | undefined;
  #watermarkMs = Number.NEGATIVE_INFINITY;

  constructor(late: LatePolicy) {
    this.#late = late;
  }

  /** No row of this source before this time comes out any more; Infinity when it has been silent from the start. */
  get watermarkMs(): number {
    return this.#watermarkMs;
  }

  /** -Infinity before the first. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** Judges an event time by the mapped clock; a source that was silent from the start is heard anew. */
  judge(timeMs: number, nowMs: number | undefined): Verdict {
    if (nowMs !== undefined && timeMs > nowMs + this.#late.futureMs) return "future";
    if (nowMs !== undefined && timeMs < nowMs - this.#late.ancientMs) return "ancient";
    return this.#newestMs > Number.NEGATIVE_INFINITY && timeMs < this.#watermarkMs ? "late" : "fits";
  }

  /** A row that fits in has come. */
  heard(timeMs: number, nowMs: number | undefined): void {
    if (this.#watermarkMs === Number.POSITIVE_INFINITY) this.#watermarkMs = Number.NEGATIVE_INFINITY;
    this.#newestMs = Math.max(this.#newestMs, timeMs);
    this.#heardMs = nowMs ?? this.#heardMs;
    this.raise(this.#newestMs - this.#late.disorderMs);
  }

  /** The mapped clock has come to `nowMs`: a source idle for long enough no longer holds others back. */
  advance(nowMs: number): void {
    // Before the first data that came with a clock there is nothing to count idleness from.
    this.#heardMs ??= nowMs;
    const idleMs = nowMs - this.#heardMs;
    if (idleMs < this.#late.idleMs) return;
    const hasSpoken = this.#newestMs > Number.NEGATIVE_INFINITY;
    this.raise(hasSpoken ? this.#newestMs + idleMs - this.#late.disorderMs : Number.POSITIVE_INFINITY);
  }

  raise(watermarkMs: number): void {
    if (watermarkMs > this.#watermarkMs) this.#watermarkMs = watermarkMs;
  }

  save(): Saved {
    const saved: SavedWatermark = {
      newestMs: this.#newestMs,
      heardMs: this.#heardMs ?? null,
      watermarkMs: this.#watermarkMs,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { newestMs, heardMs, watermarkMs } = saved as SavedWatermark; // as `save` made it
    this.#newestMs = newestMs;
    this.#heardMs = heardMs ?? undefined;
    this.#watermarkMs = watermarkMs;
  }
}

interface SavedWatermark {
  readonly newestMs: number;
  readonly heardMs: number | null;
  readonly watermarkMs: number;
}
