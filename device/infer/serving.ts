// What a deployment shows to whoever answers requests with its model.

import type { TaskId } from "../../shared/id.js";
import type { Model } from "../../shared/model/runtime.js";
import type { OnlineRow } from "../../shared/serving/served-model.js";
import type { BaseModel } from "../model/check.js";
import type { AnomalyThreshold } from "./anomaly-threshold.js";

/** The same object as long as the task is the same. */
export interface ServingDeployment {
  readonly task: TaskId;
  readonly columns: readonly string[];
  /** The predictor's own: params are to be loaded before every use, in the same turn of the event loop. */
  readonly model: Model;
  readonly threshold: AnomalyThreshold | undefined;
  /** What the slot serves now. */
  serving(): BaseModel | undefined;
  /** The newest row of an entity. */
  online(entity: string): OnlineRow | undefined;
}
