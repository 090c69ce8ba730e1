// Labels that a later row brings: the stream labels itself.

import { Queue } from "../queue.js";
import type { Saved } from "../state.js";
import type { FeatureRow, PipelineRow } from "../types.js";
import { type LabellerOptions, RowLabeller } from "./labeller.js";
import { PendingRows } from "./pending.js";
import { Target } from "./target.js";

interface Pending {
  readonly row: FeatureRow;
  readonly persistence: number | null;
}

/** The row at exactly t + ahead is the label of the one at t; no neighbour is taken instead. */
export class TimeForecast extends RowLabeller {
  readonly #aheadMs: number;
  readonly #options: LabellerOptions;
  readonly #target: Target;
  readonly #pending: PendingRows<Pending>;

  constructor(aheadMs: number, position: number, options: LabellerOptions) {
    super();
    this.#aheadMs = aheadMs;
    this.#options = options;
    this.#target = new Target(position, options);
    this.#pending = new PendingRows(options);
  }

  get pending(): number {
    return this.#pending.size;
  }

  push(row: PipelineRow, features: FeatureRow | undefined): void {
    this.#mature(row);
    if (features === undefined) return;
    this.#pending.push({ row: features, persistence: this.#target.value(row) });
  }

  flush(): void {
    if (this.#pending.size > 0) this.#options.counters.add("labels.no-row", this.#pending.size);
    this.drop();
  }

  drop(): void {
    this.#pending.clear();
  }

  save(): Saved {
    return this.#pending.toArray();
  }

  restore(saved: Saved): void {
    for (const pending of saved as readonly Pending[]) this.#pending.push(pending); // as `save` made it
  }

  #mature(row: PipelineRow): void {
    const dueMs = row.timeMs - this.#aheadMs;
    for (let next = this.#pending.peek(); next !== undefined; next = this.#pending.peek()) {
      if (next.row.timeMs > dueMs) return;
      this.#pending.shift();
      if (next.row.timeMs === dueMs) this.#emit(next, row);
      else this.#options.counters.add("labels.no-row");
    }
  }

  #emit({ row, persistence }: Pending, target: PipelineRow): void {
    const label = this.#target.label(target);
    if (label !== undefined) this.#options.emit({ row, label, persistence, untilMs: target.timeMs });
  }
}

/** The row so many rows later is the label, whatever its time. */
export class RowForecast extends RowLabeller {
  readonly #ahead: number;
  readonly #options: LabellerOptions;
  readonly #target: Target;
  // One entry per row, with or without features: their number is the distance.
  readonly #pending = new Queue<Pending | undefined>();
  #waiting = 0;

  constructor(ahead: number, position: number, options: LabellerOptions) {
    super();
    this.#ahead = ahead;
    this.#options = options;
    this.#target = new Target(position, options);
  }

  get pending(): number {
    return this.#waiting;
  }

  push(row: PipelineRow, features: FeatureRow | undefined): void {
    if (this.#pending.size === this.#ahead) this.#mature(this.#take(), row);
    const persistence = this.#target.value(row);
    this.#add(features === undefined ? undefined : { row: features, persistence });
  }

  flush(): void {
    if (this.#waiting > 0) this.#options.counters.add("labels.no-row", this.#waiting);
    this.drop();
  }

  drop(): void {
    this.#options.budget.release(this.#waiting);
    this.#waiting = 0;
    this.#pending.clear();
  }

  save(): Saved {
    return this.#pending.toArray();
  }

  restore(saved: Saved): void {
    for (const pending of saved as readonly (Pending | undefined)[]) this.#add(pending); // as `save` made it
  }

  #add(pending: Pending | undefined): void {
    const hasRoom = pending === undefined || this.#options.budget.take();
    if (!hasRoom) this.#options.counters.add("labels.pending-full");
    else if (pending !== undefined) this.#waiting += 1;
    this.#pending.push(hasRoom ? pending : undefined);
  }

  #take(): Pending | undefined {
    const pending = this.#pending.shift();
    if (pending === undefined) return undefined;
    this.#waiting -= 1;
    this.#options.budget.release();
    return pending;
  }

  #mature(pending: Pending | undefined, target: PipelineRow): void {
    if (pending === undefined) return;
    const label = this.#target.label(target);
    if (label === undefined) return;
    this.#options.emit({ ...pending, label, untilMs: target.timeMs });
  }
}
