// What a labeller is: one per entity and kind of label. The pipeline knows none of the kinds by name.

import type { Counters } from "../../counters.js";
import type { OutputSpec } from "../../task/task.js";
import type { Saved, Stateful } from "../state.js";
import type { FeatureRow, PipelineRow, Value } from "../types.js";
import type { PendingBudget } from "./pending.js";

/** Features with their label, before the split. */
export interface Labelled {
  readonly row: FeatureRow;
  readonly label: number;
  readonly persistence: number | null;
  /** Event time of the last thing that the label depends on. */
  readonly untilMs: number;
}

/** What a source of labels has said. */
export interface HeardLabel {
  /** Event time of an event, of the row that is meant, or of when it was said: the kind of label decides. */
  readonly timeMs: number;
  /** As the layout's `labelSource` orders them. */
  readonly values: readonly Value[];
  /** The prediction that is answered. */
  readonly id: string | undefined;
  /** How far event time had come. */
  readonly watermarkMs: number;
  /** The mapped clock, or the watermark where there is none. */
  readonly nowMs: number;
}

/** Labels one entity's rows. They come, and leave, in rising event time. */
export interface Labeller extends Stateful {
  /** Rows that wait for their label. */
  readonly pending: number;
  /** Takes every row; `features` is undefined where the row has none. */
  push(row: PipelineRow, features: FeatureRow | undefined): void;
  /** Takes a label as it comes, in any order; false when it names a prediction that this entity is not waiting for. */
  hear(heard: HeardLabel): boolean;
  /** Event time has come to `watermarkMs`, and no row before `promisedMs` will be pushed any more. */
  advance(watermarkMs: number, promisedMs: number): void;
  /** The earliest watermark that would make `advance` do something; never too late, maybe too early. */
  dueMs(): number;
  /** The data has ended: what is still pending is labelled by what is known, or never. */
  flush(): void;
  /** The entity is forgotten: what is still pending goes with it. */
  drop(): void;
}

/** What every labeller needs to know. */
export interface LabellerOptions {
  readonly output: OutputSpec;
  readonly columns: number;
  readonly counters: Counters;
  /** Shared by all entities. */
  readonly budget: PendingBudget;
  emit(labelled: Labelled): void;
}

/** A labeller of rows by rows: it hears nothing, and time alone changes nothing. */
export abstract class RowLabeller implements Labeller {
  abstract readonly pending: number;
  abstract push(row: PipelineRow, features: FeatureRow | undefined): void;
  abstract flush(): void;
  abstract drop(): void;
  abstract save(): Saved;
  abstract restore(saved: Saved): void;

  hear(): boolean {
    return false;
  }

  advance(): void {}

  dueMs(): number {
    return Number.POSITIVE_INFINITY;
  }
}
