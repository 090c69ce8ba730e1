// What flows through the pipeline: readings in, rows between operators, feature rows and examples out.

/** One field's value: a number, a vector of the declared length, or null where it is missing. Never NaN. */
export type Value = number | Float32Array | null;

/** What one source said about one entity at one event time. */
export interface Reading {
  readonly source: string;
  readonly entity: string;
  /** Event time, ms since the Unix epoch. */
  readonly timeMs: number;
  readonly values: Readonly<Record<string, Value>>;
  /** The message it was decoded from, for a quarantine. Nobody writes to it. */
  readonly raw?: Uint8Array;
  /** The prediction that this answers. */
  readonly id?: string;
  /** Set by data that brings its own test set (`split: { test: given }`). */
  readonly test?: boolean;
}

/** Why a reading was set aside. */
export type QuarantineReason =
  | "range"
  | "value"
  | "stuck"
  | "change"
  | "counter"
  | "missing"
  | "late"
  | "future"
  | "ancient";

/** A reading that was set aside, for whoever wants to know what was wrong with it. */
export interface QuarantineItem {
  readonly source: string;
  readonly entity: string;
  readonly timeMs: number;
  readonly reason: QuarantineReason;
  /** The field that failed, and its value, where it is about one. */
  readonly field: string | undefined;
  readonly value: number | null;
  readonly raw: Uint8Array | undefined;
}

/** One entity's values at one event time, between operators. `values[i]` belongs to the i-th field. */
export interface PipelineRow {
  readonly entity: string;
  readonly timeMs: number;
  readonly values: readonly Value[];
  /** Which values were filled in rather than measured; undefined when none was. */
  readonly filled: readonly boolean[] | undefined;
  readonly test: boolean;
}

/** A row's features, unscaled, ready for inference. */
export interface FeatureRow {
  readonly entity: string;
  readonly timeMs: number;
  /** One element per column of the pipeline, unscaled. Never written again: a row's example shares it. */
  readonly features: Float32Array;
  readonly test: boolean;
  /** How often a late reading has changed it since it first came out; absent: never. */
  readonly revision?: number;
}

export type Split = "train" | "validation" | "test";

/** Features with their label. */
export interface Example extends FeatureRow {
  /** Unscaled; for classification the class index, for binary 0 or 1. */
  readonly label: number;
  /** The persistence forecast (the label's field at `timeMs`), null where the label is no forecast. */
  readonly persistence: number | null;
  readonly split: Split;
}

/** (x - offset) * factor for every column and for the label. Frozen with the model. */
export interface FittedScaler {
  readonly offset: readonly number[];
  readonly factor: readonly number[];
  readonly label: { readonly offset: number; readonly factor: number };
}

/** Per-column statistics of one device's train examples; the last column is the label. Mergeable. */
export interface ColumnStatistics {
  readonly count: number;
  readonly mean: readonly number[];
  /** Sum of squared deviations from the mean (Chan, Golub and LeVeque 1983). */
  readonly m2: readonly number[];
  readonly min: readonly number[];
  readonly max: readonly number[];
  /** Where the task scales robustly: one summary per column (`quantile-summary.ts`), empty where none is needed. */
  readonly quantiles?: readonly Uint8Array[] | undefined;
}

/** Which of a task's columns need summaries of quantiles to be fitted. */
export interface QuantileNeeds {
  readonly features: boolean;
  readonly label: boolean;
}
