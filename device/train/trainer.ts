// Training as a port: jobs are plain data, so they run in a worker thread, a shared pool, or in place.

import type { ModelDefinition } from "../../shared/model/definition.js";
import type { MetricSums } from "../../shared/model/metric.js";
import type { EngineChoice } from "../../shared/model/runtime.js";
import type { TrainSpec } from "../../shared/task/task.js";

/** Scaled examples, row-major; for classification `y` is one-hot, for binary 0 or 1. Backed by SharedArrayBuffer where possible. */
export interface ExampleBatch {
  readonly rows: number;
  /** rows x definition.inputs */
  readonly x: Float32Array;
  /** rows x definition.outputs */
  readonly y: Float32Array;
}

/** Trains from `params`: epochs over all of `examples`, shuffled by `seed`. */
export interface TrainJob {
  readonly kind: "train";
  readonly definition: ModelDefinition;
  readonly params: Float32Array;
  readonly examples: ExampleBatch;
  readonly plan: TrainSpec;
  /** Names the random stream of this job's shuffles. */
  readonly seed: string;
}

/**
 * Rows predicted at once when scoring: bounds memory, and costs nothing in speed beyond a few hundred. Sums are those of
 * so many rows, merged in order.
 */
export const EVALUATE_ROWS = 1024;

/** Scores `params` on `examples`. */
export interface EvaluateJob {
  readonly kind: "evaluate";
  readonly definition: ModelDefinition;
  readonly params: Float32Array;
  readonly examples: ExampleBatch;
  /** Errors are divided by this factor, so sums are in the label's own unit. */
  readonly labelFactor: number;
}

export type Job = TrainJob | EvaluateJob;

export interface TrainResult {
  readonly kind: "train";
  readonly params: Float32Array;
  readonly steps: number;
  /** Mean loss per example over the last epoch, scaled units; NaN when training diverged, which also ended it. */
  readonly loss: number;
}

export interface EvaluateResult {
  readonly kind: "evaluate";
  readonly sums: MetricSums;
}

export type JobResult<J extends Job> = J extends TrainJob ? TrainResult : EvaluateResult;

/** Tells a running job to stop. An AbortSignal is one. */
export interface StopSignal {
  readonly aborted: boolean;
}

/** Runs jobs. A job depends on nothing but itself: same job, same result, whichever worker runs it. */
export interface Trainer {
  readonly engine: EngineChoice;
  /**
   * The job's arrays stay the caller's, who leaves them as they are until the result is there. Rejects with
   * HeadwaterError `training-failed` (the worker died, memory ran out, too many jobs waiting), `aborted`,
   * `model-unsupported`, or `data-missing` when there is nothing to train on.
   */
  run<J extends Job>(job: J, signal?: AbortSignal): Promise<JobResult<J>>;
  /** Ends it: jobs that have not finished reject with `aborted`. */
  close(): Promise<void>;
}
