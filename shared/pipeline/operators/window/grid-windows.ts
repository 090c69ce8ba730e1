// Tumbling and hopping windows, of time or of rows, each giving one row when it closes.

import type { Saved } from "../../state.js";
import type { PipelineRow } from "../../types.js";
import type { StepInstance } from "../port.js";
import { evenGrid, type WindowGrid } from "./grid.js";
import type { WindowOutput } from "./output.js";
import type { PaneShape } from "./pane.js";
import { Slices } from "./slices.js";

/** Windows of time: named by their start, closed by the watermark. */
export class TimeWindows implements StepInstance {
  readonly #grid: WindowGrid;
  readonly #output: WindowOutput;
  readonly #slices: Slices;

  constructor(grid: WindowGrid, shape: PaneShape, output: WindowOutput) {
    this.#grid = grid;
    this.#output = output;
    this.#slices = new Slices(grid, shape);
  }

  push(row: PipelineRow): void {
    this.#closeUntil(row.timeMs);
    this.#slices.add(row.timeMs, row);
  }

  advance(watermarkMs: number): number {
    this.#closeUntil(watermarkMs);
    const oldest = this.#slices.oldest();
    const openMs = oldest === undefined ? Number.POSITIVE_INFINITY : this.#grid.startOf(oldest);
    return Math.min(this.#grid.startOf(this.#grid.firstOver(watermarkMs)), openMs);
  }

  dueMs(): number {
    const oldest = this.#slices.oldest();
    return oldest === undefined ? Number.POSITIVE_INFINITY : this.#grid.endOf(oldest);
  }

  flush(): void {
    this.#closeUntil(Number.POSITIVE_INFINITY);
  }

  save(): Saved {
    return this.#slices.save();
  }

  restore(saved: Saved): void {
    this.#slices.restore(saved);
  }

  #closeUntil(watermarkMs: number): void {
    this.#slices.closeUntil(watermarkMs, (window, pane) => {
      const startMs = this.#grid.startOf(window);
      this.#output.emit(pane, startMs, this.#grid.endOf(window) - startMs);
    });
  }
}

/** Windows of so many rows: named by their first row's time, closed by their last row. */
export class RowWindows implements StepInstance {
  readonly #output: WindowOutput;
  readonly #slices: Slices;
  #seen = 0;

  constructor(size: number, every: number, shape: PaneShape, output: WindowOutput) {
    this.#output = output;
    this.#slices = new Slices(evenGrid(size, every, 0), shape);
  }

  push(row: PipelineRow): void {
    this.#slices.add(this.#seen, row);
    this.#seen += 1;
    this.#slices.closeUntil(this.#seen, (window, pane) => {
      // Windows that began before the first row are none.
      if (window >= 0) this.#output.emit(pane, pane.firstMs);
    });
  }

  advance(watermarkMs: number): number {
    return Math.min(watermarkMs, this.#slices.firstMs ?? Number.POSITIVE_INFINITY);
  }

  dueMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  // A window that never got all its rows is no window.
  flush(): void {
    const oldest = Math.max(0, this.#slices.oldest() ?? 0);
    this.#output.countIncomplete((this.#slices.newest() ?? -1) - oldest + 1);
    this.#slices.clear();
  }

  save(): Saved {
    const saved: SavedRowWindows = { seen: this.#seen, slices: this.#slices.save() };
    return saved;
  }

  restore(saved: Saved): void {
    const { seen, slices } = saved as SavedRowWindows; // as `save` made it
    this.#seen = seen;
    this.#slices.restore(slices);
  }
}

interface SavedRowWindows {
  readonly seen: number;
  readonly slices: Saved;
}
