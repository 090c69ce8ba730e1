// What the pool and its workers say to each other.

import type { ErrorCode } from "../../shared/error.js";
import type { EngineChoice } from "../../shared/model/runtime.js";
import type { EvaluateResult, Job, TrainResult } from "./trainer.js";

/** What a worker is started with. */
export interface WorkerOptions {
  readonly engine: EngineChoice;
  /** One shared Int32: not 0 tells the running job to stop. A message would wait until the job is over. */
  readonly stop: Int32Array;
}

/** Pool to worker: one at a time, the next after the reply. */
export interface WorkerRequest {
  readonly job: Job;
}

/** Worker to pool. Bugs are not replies: they end the worker. */
export type WorkerReply =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly result: TrainResult | EvaluateResult }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string };
