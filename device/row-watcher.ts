// Whoever looks at what comes out of a deployment's pipeline and model, row by row.

import type { FeatureRow } from "../shared/pipeline/types.js";
import type { Prediction } from "./fact.js";

/**
 * Sees every row of one task: each entity's in rising event time, but for rows that a late reading revised, which come
 * again; features before their prediction. Never throws.
 */
export interface RowWatcher {
  features(row: FeatureRow): void;
  prediction(prediction: Prediction): void;
  /** Event time has come to `timeMs`, perhaps without rows. */
  passed(timeMs: number): void;
}

/** What the rows of a task hold. */
export interface WatchedTask {
  /** Names of the elements of `features`, in order. */
  readonly columns: readonly string[];
  /** Its predictions have a probability. */
  readonly hasProbability: boolean;
  /** Its predictions say whether the row is an anomaly. */
  readonly hasAnomaly: boolean;
}

/** Called for every task that is adopted; the watcher of the task before sees nothing afterwards. */
export type WatchRows = (task: WatchedTask) => RowWatcher | undefined;
