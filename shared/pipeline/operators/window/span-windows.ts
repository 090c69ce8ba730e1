// Windows of which one follows the other, each giving one row when it closes, or early ones while it grows.

import type { Saved } from "../../state.js";
import type { PipelineRow } from "../../types.js";
import type { StepInstance } from "../port.js";
import type { WindowGrid } from "./grid.js";
import type { WindowOutput } from "./output.js";
import { Pane, type PaneShape } from "./pane.js";
import type { SpanRule } from "./spans.js";

/**
 * When rows come out. `close`: one per window, named by its first row's time. `each`: one for each row that comes in, named by
 * its time. `every`: one for each slice of `ms`, counted from the window's start, in which rows came, named by the slice's
 * start. Early rows hold the window so far; the last of them holds all of it, so that none is needed at the end and
 * event time rises strictly.
 */
export type Emission =
  | { readonly kind: "close" }
  | { readonly kind: "each" }
  | { readonly kind: "every"; readonly ms: number; readonly grid: WindowGrid };

export class SpanWindows implements StepInstance {
  readonly #rule: SpanRule;
  readonly #emission: Emission;
  readonly #output: WindowOutput;
  readonly #pane: Pane;
  // Rows have come since the last early row.
  #isPending = false;

  constructor(rule: SpanRule, emission: Emission, shape: PaneShape, output: WindowOutput) {
    this.#rule = rule;
    this.#emission = emission;
    this.#output = output;
    this.#pane = new Pane(shape);
  }

  push(row: PipelineRow): void {
    this.#settle(row.timeMs);
    if (!(this.#rule.belongs(row) ?? this.#pane.rows > 0)) {
      this.#close();
      return;
    }
    this.#pane.add(row);
    this.#isPending = true;
    if (this.#emission.kind === "each") this.#report(row.timeMs);
    if (this.#pane.rows >= this.#rule.rowsMax) this.#close();
  }

  advance(watermarkMs: number): number {
    this.#settle(watermarkMs);
    const sliceMs = this.#emission.kind === "every" ? this.#sliceOf(watermarkMs).startMs : watermarkMs;
    return this.#isPending ? Math.min(sliceMs, this.#nameMs()) : sliceMs;
  }

  dueMs(): number {
    return this.#isPending ? this.#dueMs() : Number.POSITIVE_INFINITY;
  }

  flush(): void {
    if (Number.isFinite(this.#rule.rowsMax) && this.#isPending) {
      this.#output.countIncomplete(1);
      this.#pane.reset();
      this.#isPending = false;
    }
    this.#close();
  }

  save(): Saved {
    const saved: SavedSpans = { pane: this.#pane.save(), isPending: this.#isPending };
    return saved;
  }

  restore(saved: Saved): void {
    const { pane, isPending } = saved as SavedSpans; // as `save` made it
    this.#pane.restore(pane);
    this.#isPending = isPending;
  }

  #settle(watermarkMs: number): void {
    if (this.#pane.rows === 0) return;
    if (this.#isPending && this.#dueMs() <= watermarkMs) this.#report(this.#nameMs());
    if (this.#rule.endMs(this.#pane) <= watermarkMs) this.#close();
  }

  #close(): void {
    if (this.#isPending) this.#report(this.#nameMs());
    this.#pane.reset();
  }

  #report(timeMs: number): void {
    this.#output.emit(this.#pane, timeMs);
    this.#isPending = false;
  }

  /** The watermark from which the rows that are pending come out. */
  #dueMs(): number {
    const endMs = this.#rule.endMs(this.#pane);
    return this.#emission.kind === "every" ? Math.min(endMs, this.#sliceOf(this.#pane.lastMs).endMs) : endMs;
  }

  #nameMs(): number {
    return this.#emission.kind === "every" ? this.#sliceOf(this.#pane.lastMs).startMs : this.#pane.firstMs;
  }

  /** The slice of early rows that an instant lies in. */
  #sliceOf(timeMs: number): { readonly startMs: number; readonly endMs: number } {
    if (this.#emission.kind !== "every" || !Number.isFinite(timeMs))
      return { startMs: timeMs, endMs: timeMs };
    const { ms, grid } = this.#emission;
    const windowMs = grid.startOf(grid.lastOver(timeMs));
    const startMs = windowMs + Math.floor((timeMs - windowMs) / ms) * ms;
    return { startMs, endMs: startMs + ms };
  }
}

interface SavedSpans {
  readonly pane: Saved;
  readonly isPending: boolean;
}
