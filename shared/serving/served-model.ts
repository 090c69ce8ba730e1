// What serving asks of whoever has models: a server with all its versions, a device with the one it serves.

import type { Model } from "../model/runtime.js";
import type { FeatureRow, FittedScaler } from "../pipeline/types.js";

/** A version that can be computed with. Nobody writes to it; the same object as long as it is the same version. */
export interface ServedVersion {
  readonly version: number;
  readonly params: Float32Array;
  readonly scaler: FittedScaler;
}

/** The newest row of an entity, and the id of its prediction: a label may name it. */
export interface OnlineRow extends FeatureRow {
  readonly id: string;
}

/** One task's model. */
export interface ServedModel {
  /** The task's id. */
  readonly name: string;
  /** Names of the feature columns, in order. */
  readonly columns: readonly string[];
  /** Feature rows are unscaled; predicting with it never fails on finite rows, params loaded. */
  readonly model: Pick<Model, "definition" | "load" | "predict">;
  /** Versions that may be asked for by number. */
  versions(): readonly number[];
  /** The version for who asks for none, undefined while there is none. */
  serving(): number | undefined;
  /** Undefined when there is no such version. */
  load(version: number): Promise<ServedVersion | undefined>;
  /** From which reconstruction error on a row is an anomaly; its params are loaded. Undefined where that is not known. */
  threshold?(version: ServedVersion): number | undefined;
  /** The newest row of an entity. Absent where there are no rows: on a server. */
  online?(entity: string): OnlineRow | undefined;
}

/** Everything that is served. */
export interface ServedModels {
  /** Of Headwater. */
  readonly version: string;
  /** Why nothing is served (yet), undefined when something is. */
  notReady(): string | undefined;
  /** The task's model; undefined before there is a task. Resolves once it is built. */
  model(): Promise<ServedModel | undefined>;
}
