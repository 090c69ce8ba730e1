// Features meet their label: at once for a field of the row, later for a forecast.

import { unreachable } from "../assert.js";
import type { Counters } from "../counters.js";
import type { FieldLabel, LabelSpec, OutputSpec } from "../task/task.js";
import { MAX_HISTORY_ROWS } from "./operators/port.js";
import { Queue } from "./queue.js";
import type { Saved, Stateful } from "./state.js";
import type { FeatureRow, PipelineRow } from "./types.js";

/** Features with their label, before the split. */
export interface Labelled {
  readonly row: FeatureRow;
  readonly label: number;
  readonly persistence: number | null;
  /** Event time of the label. */
  readonly untilMs: number;
}

/** Labels one entity's rows, in rising event time. */
export interface Labeller extends Stateful {
  /** Takes every row; `features` is undefined where the row has none. */
  push(row: PipelineRow, features: FeatureRow | undefined): void;
  /** The data has ended: what is still pending never matures. */
  flush(): void;
}

/** What a labeller needs to know. */
export interface LabellerOptions {
  readonly label: LabelSpec;
  readonly output: OutputSpec;
  /** Where the label's field is in a row. */
  readonly position: number;
  readonly counters: Counters;
  emit(labelled: Labelled): void;
}

/** A labeller for one entity. Never labels with a missing or filled value: those rows are counted and dropped. */
export function createLabeller(options: LabellerOptions): Labeller {
  const { label } = options;
  if (label.kind === "none") return new NoLabeller(options);
  if (label.kind === "field") return new FieldLabeller(label, options);
  switch (label.ahead.kind) {
    case "time":
      return new TimeForecast(label.ahead.ms, options);
    case "rows":
      return new RowForecast(label.ahead.rows, options);
    default:
      return unreachable(label.ahead);
  }
}

/** Judges what may be a label at all. */
class Target {
  readonly #position: number;
  readonly #classes: number | undefined;
  readonly #counters: Counters;

  constructor({ position, output, counters }: LabellerOptions) {
    this.#position = position;
    this.#classes = classesOf(output);
    this.#counters = counters;
  }

  /** The field's value, measured or filled, or null. */
  value(row: PipelineRow): number | null {
    const value = row.values[this.#position];
    return typeof value === "number" ? value : null;
  }

  /** The label that `row` gives, or undefined (counted). */
  label(row: PipelineRow): number | undefined {
    const value = this.value(row);
    if (value === null) return this.#refuse("labels.missing");
    if (row.filled?.[this.#position] === true) return this.#refuse("labels.filled");
    if (!this.#isClass(value)) return this.#refuse("labels.not-a-class");
    return value;
  }

  #isClass(value: number): boolean {
    return this.#classes === undefined || (Number.isInteger(value) && value >= 0 && value < this.#classes);
  }

  #refuse(reason: string): undefined {
    this.#counters.add(reason);
    return undefined;
  }
}

function classesOf(output: OutputSpec): number | undefined {
  if (output.kind === "binary") return 2;
  return output.kind === "classification" ? output.classes : undefined;
}

class FieldLabeller implements Labeller {
  readonly #min: number;
  readonly #max: number;
  readonly #target: Target;
  readonly #emit: (labelled: Labelled) => void;

  constructor({ min = -Infinity, max = Infinity }: FieldLabel, options: LabellerOptions) {
    this.#min = min;
    this.#max = max;
    this.#target = new Target(options);
    this.#emit = options.emit;
  }

  push(row: PipelineRow, features: FeatureRow | undefined): void {
    if (features === undefined) return;
    const value = this.#target.label(row);
    if (value === undefined) return;
    const label = Math.min(this.#max, Math.max(this.#min, value));
    this.#emit({ row: features, label, persistence: null, untilMs: row.timeMs });
  }

  flush(): void {}

  save(): Saved {
    return null;
  }

  restore(): void {}
}

/** Every row with features is an example of itself. */
class NoLabeller implements Labeller {
  readonly #emit: (labelled: Labelled) => void;

  constructor({ emit }: LabellerOptions) {
    this.#emit = emit;
  }

  push(row: PipelineRow, features: FeatureRow | undefined): void {
    if (features !== undefined)
      this.#emit({ row: features, label: 0, persistence: null, untilMs: row.timeMs });
  }

  flush(): void {}

  save(): Saved {
    return null;
  }

  restore(): void {}
}

interface Pending {
  readonly row: FeatureRow;
  readonly persistence: number | null;
}

/** The row at exactly t + ahead is the label of the one at t; no neighbour is taken instead. */
class TimeForecast implements Labeller {
  readonly #aheadMs: number;
  readonly #options: LabellerOptions;
  readonly #target: Target;
  readonly #pending = new Queue<Pending>();

  constructor(aheadMs: number, options: LabellerOptions) {
    this.#aheadMs = aheadMs;
    this.#options = options;
    this.#target = new Target(options);
  }

  push(row: PipelineRow, features: FeatureRow | undefined): void {
    this.#mature(row);
    if (features === undefined) return;
    this.#pending.push({ row: features, persistence: this.#target.value(row) });
    if (this.#pending.size <= MAX_HISTORY_ROWS) return;
    this.#pending.shift();
    this.#options.counters.add("labels.pending-full");
  }

  flush(): void {
    if (this.#pending.size > 0) this.#options.counters.add("labels.no-row", this.#pending.size);
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
class RowForecast implements Labeller {
  readonly #ahead: number;
  readonly #options: LabellerOptions;
  readonly #target: Target;
  // One entry per row, with or without features: their number is the distance.
  readonly #pending = new Queue<Pending | undefined>();

  constructor(ahead: number, options: LabellerOptions) {
    this.#ahead = ahead;
    this.#options = options;
    this.#target = new Target(options);
  }

  push(row: PipelineRow, features: FeatureRow | undefined): void {
    if (this.#pending.size === this.#ahead) this.#mature(this.#pending.shift(), row);
    const persistence = this.#target.value(row);
    this.#pending.push(features === undefined ? undefined : { row: features, persistence });
  }

  flush(): void {
    while (this.#pending.size > 0) {
      if (this.#pending.shift() !== undefined) this.#options.counters.add("labels.no-row");
    }
  }

  save(): Saved {
    return this.#pending.toArray();
  }

  restore(saved: Saved): void {
    for (const pending of saved as readonly (Pending | undefined)[]) this.#pending.push(pending); // as `save` made it
  }

  #mature(pending: Pending | undefined, target: PipelineRow): void {
    if (pending === undefined) return;
    const label = this.#target.label(target);
    if (label === undefined) return;
    this.#options.emit({ ...pending, label, untilMs: target.timeMs });
  }
}
