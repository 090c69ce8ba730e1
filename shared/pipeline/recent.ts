// The last values of one field, in order of time and of size.

import type { Counters } from "../counters.js";
import { History } from "./history.js";
import { MAX_HISTORY_ROWS } from "./operators/port.js";
import type { Extent } from "./operators/statistic.js";
import { SortedWindow } from "./sorted-window.js";
import type { Saved, Stateful } from "./state.js";

/** The values of (t - over, t], or the last so many; bounded, whatever the extent. */
export class Recent implements Stateful {
  readonly sorted = new SortedWindow();
  readonly #extent: Extent;
  readonly #counters: Counters;
  readonly #history: History;

  constructor(extent: Extent, counters: Counters) {
    this.#extent = extent;
    this.#counters = counters;
    this.#history = new History([0], MAX_HISTORY_ROWS);
  }

  /** Takes the next value, which is not missing. */
  push(timeMs: number, x: number): void {
    const history = this.#history;
    while (history.first < history.end && this.#isOld(timeMs)) this.#forgetOldest();
    if (history.end - history.first >= MAX_HISTORY_ROWS) {
      this.#counters.add("features.history-full");
      this.#forgetOldest();
    }
    history.pushNumber(timeMs, x);
    this.sorted.add(x);
  }

  save(): Saved {
    return this.#history.save();
  }

  restore(saved: Saved): void {
    this.#history.restore(saved);
    this.sorted.fill(this.#history.column(0));
  }

  // Whether the oldest value does not share a window with the one that comes at `timeMs`.
  #isOld(timeMs: number): boolean {
    const { first, end } = this.#history;
    return this.#extent.kind === "time"
      ? this.#history.timeMs(first) <= timeMs - this.#extent.ms
      : end - first >= this.#extent.rows;
  }

  #forgetOldest(): void {
    const { first } = this.#history;
    this.sorted.remove(this.#history.value(first, 0));
    this.#history.forget(first + 1);
  }
}
