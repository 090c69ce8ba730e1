// Steps that judge a row by the rows on both sides of it, and so are late by some rows.

import type { Saved } from "../state.js";
import type { PipelineRow } from "../types.js";
import { cleaned } from "./clean.js";
import type { StepContext, StepInstance } from "./port.js";

/** Judges the number that field `position` has in `rows[at]`: itself, another number, or NaN for missing. */
export type CentredJudge = (rows: readonly PipelineRow[], at: number, position: number) => number;

interface CentredOptions {
  readonly positions: readonly number[];
  /** Rows to look at on either side; at the ends of the data there are fewer. */
  readonly half: number;
  readonly judge: CentredJudge;
  /** What comes out differently was not measured. */
  readonly marksChanged: boolean;
}

/** Holds each row until `half` later ones have come. Judges see rows as they came in. */
export class Centred implements StepInstance {
  readonly #options: CentredOptions;
  readonly #context: StepContext;
  // From `half` rows before the next one to be judged on.
  #rows: PipelineRow[] = [];
  #next = 0;

  constructor(options: CentredOptions, context: StepContext) {
    this.#options = options;
    this.#context = context;
  }

  push(row: PipelineRow): void {
    this.#rows.push(row);
    if (this.#rows.length - this.#next > this.#options.half) this.#emitNext();
  }

  advance(watermarkMs: number): number {
    return Math.min(watermarkMs, this.#rows[this.#next]?.timeMs ?? Number.POSITIVE_INFINITY);
  }

  dueMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  flush(): void {
    while (this.#next < this.#rows.length) this.#emitNext();
  }

  save(): Saved {
    const saved: SavedCentred = { rows: this.#rows, next: this.#next };
    return saved;
  }

  restore(saved: Saved): void {
    const { rows, next } = saved as SavedCentred; // as `save` made it
    this.#rows = [...rows];
    this.#next = next;
  }

  #emitNext(): void {
    const { positions, judge, marksChanged } = this.#options;
    const judgeField = (field: number) => judge(this.#rows, this.#next, positions[field]!);
    const row = cleaned(this.#rows[this.#next]!, positions, judgeField, marksChanged);
    this.#next += 1;
    if (this.#next > this.#options.half) {
      this.#rows.shift();
      this.#next -= 1;
    }
    this.#context.emit(row);
  }
}

interface SavedCentred {
  readonly rows: readonly PipelineRow[];
  readonly next: number;
}

/** The number a row has at `position`, NaN where there is none. */
export function numberAt(row: PipelineRow | undefined, position: number): number {
  const value = row?.values[position];
  return typeof value === "number" ? value : Number.NaN;
}
