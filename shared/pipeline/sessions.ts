// Stretches of one entity's rows without a long pause.

import { Queue } from "./queue.js";
import type { Saved, Stateful } from "./state.js";

/** Sessions remembered while their rows wait for labels; beyond, the oldest are taken for one with the next. */
const MAX_SESSIONS = 4_096;

/** Tells which session a row belongs to. Rows are seen, and later asked for, in rising event time. */
export class Sessions implements Stateful {
  readonly #pauseMs: number;
  /** Starts of the sessions after the current one. */
  readonly #next = new Queue<number>();
  #currentMs = Number.NEGATIVE_INFINITY;
  #seenMs = Number.NEGATIVE_INFINITY;

  constructor(pauseMs: number) {
    this.#pauseMs = pauseMs;
  }

  /** A row has come: after a pause longer than `pauseMs` it starts a session. */
  see(timeMs: number): void {
    if (timeMs - this.#seenMs > this.#pauseMs) this.#next.push(timeMs);
    if (this.#next.size > MAX_SESSIONS) this.#next.shift();
    this.#seenMs = timeMs;
  }

  /** The start of the session that the row at `timeMs` belongs to. */
  startOf(timeMs: number): number {
    for (let next = this.#next.peek(); next !== undefined && next <= timeMs; next = this.#next.peek()) {
      this.#currentMs = next;
      this.#next.shift();
    }
    return this.#currentMs;
  }

  save(): Saved {
    const saved: SavedSessions = {
      next: this.#next.toArray(),
      currentMs: this.#currentMs,
      seenMs: this.#seenMs,
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { next, currentMs, seenMs } = saved as SavedSessions; // as `save` made it
    for (const startMs of next) this.#next.push(startMs);
    this.#currentMs = currentMs;
    this.#seenMs = seenMs;
  }
}

interface SavedSessions {
  readonly next: readonly number[];
  readonly currentMs: number;
  readonly seenMs: number;
}
