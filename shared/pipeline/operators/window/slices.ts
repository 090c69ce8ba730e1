// Rows that lie in the same windows are put together once, and windows from those parts.

import type { Saved, Stateful } from "../../state.js";
import type { PipelineRow } from "../../types.js";
import type { WindowGrid } from "./grid.js";
import { Pane, type PaneShape } from "./pane.js";

/** Rows that lie in the windows from `first` to `last`, and in no other. */
interface Slice {
  readonly first: number;
  readonly last: number;
  readonly pane: Pane;
}

/**
 * The open windows of a grid. A new slice begins wherever a window begins or ends, so there are two at most from one window's
 * start to the next (Krishnamurthy et al. 2006, "paired windows"): a row costs one update however many windows overlap, and
 * a window is merged from its slices, oldest first, when it closes. The same rows give the same bits.
 */
export class Slices implements Stateful {
  readonly #grid: WindowGrid;
  readonly #shape: PaneShape;
  readonly #merged: Pane;
  // Oldest first; all of them hold rows, and reach into windows that are still open.
  #slices: Slice[] = [];
  // Windows before this one have closed.
  #next = Number.NEGATIVE_INFINITY;

  constructor(grid: WindowGrid, shape: PaneShape) {
    this.#grid = grid;
    this.#shape = shape;
    this.#merged = new Pane(shape);
  }

  /** Adds a row at a position that no window has been closed up to. */
  add(position: number, row: PipelineRow): void {
    const first = this.#grid.firstOver(position);
    const last = this.#grid.lastOver(position);
    let slice = this.#slices.at(-1);
    if (slice === undefined || slice.first !== first || slice.last !== last) {
      slice = { first, last, pane: new Pane(this.#shape) };
      this.#slices.push(slice);
    }
    slice.pane.add(row);
  }

  /** The first open window that holds a row. */
  oldest(): number | undefined {
    const [slice] = this.#slices;
    return slice === undefined ? undefined : Math.max(slice.first, this.#next);
  }

  /** Time of the first row in an open window; undefined when there is none. */
  get firstMs(): number | undefined {
    return this.#slices[0]?.pane.firstMs;
  }

  /** The last window that holds a row. */
  newest(): number | undefined {
    return this.#slices.at(-1)?.last;
  }

  /** Closes all windows that end at or before `position`. The pane is only lent. */
  closeUntil(position: number, emit: (window: number, pane: Pane) => void): void {
    for (let window = this.oldest(); window !== undefined; window = this.oldest()) {
      if (this.#grid.endOf(window) > position) return;
      emit(window, this.#paneOf(window));
      this.#next = window + 1;
      this.#dropClosed();
    }
  }

  clear(): void {
    this.#slices = [];
  }

  save(): Saved {
    const saved: SavedSlices = {
      next: this.#next,
      slices: this.#slices.map(({ first, last, pane }) => ({ first, last, pane: pane.save() })),
    };
    return saved;
  }

  restore(saved: Saved): void {
    const { next, slices } = saved as SavedSlices; // as `save` made it
    this.#next = next;
    this.#slices = slices.map(({ first, last, pane: state }) => {
      const pane = new Pane(this.#shape);
      pane.restore(state);
      return { first, last, pane };
    });
  }

  #paneOf(window: number): Pane {
    const [only, second] = this.#slices;
    if (only !== undefined && (second === undefined || second.first > window)) return only.pane;
    this.#merged.reset();
    for (const { first, pane } of this.#slices) {
      if (first > window) break;
      this.#merged.merge(pane);
    }
    return this.#merged;
  }

  #dropClosed(): void {
    let closed = 0;
    while (closed < this.#slices.length && this.#slices[closed]!.last < this.#next) closed += 1;
    if (closed > 0) this.#slices.splice(0, closed);
  }
}

interface SavedSlices {
  readonly next: number;
  readonly slices: readonly { readonly first: number; readonly last: number; readonly pane: Saved }[];
}
