// Where finished windows go.

import type { StepContext } from "../port.js";
import type { Pane } from "./pane.js";

/** How much of a window its rows must cover, each of them standing for `spacingMs`. */
export interface Cover {
  readonly share: number;
  readonly spacingMs: number;
}

/** Hands windows on, but for those that have too few rows: these are counted. */
export class WindowOutput {
  readonly #context: StepContext;
  readonly #cover: Cover | undefined;

  constructor(context: StepContext, cover: Cover | undefined) {
    this.#context = context;
    this.#cover = cover;
  }

  /** A window of `lengthMs`, undefined: as long as its rows, as a row of time `timeMs`. */
  emit(pane: Pane, timeMs: number, lengthMs?: number): void {
    if (this.covers(pane.rows, lengthMs ?? pane.lastMs - pane.firstMs + (this.#cover?.spacingMs ?? 0)))
      this.#context.emit(pane.row(timeMs));
  }

  /** Whether so many rows cover enough; counts those that do not. */
  covers(rows: number, lengthMs: number): boolean {
    if (this.#cover === undefined || rows * this.#cover.spacingMs >= this.#cover.share * lengthMs)
      return true;
    this.#context.counters.add("window.uncovered");
    return false;
  }

  /** Windows that never got all their rows. */
  countIncomplete(windows: number): void {
    if (windows > 0) this.#context.counters.add("window.incomplete", windows);
  }
}
