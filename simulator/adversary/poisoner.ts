// A device whose training has been taken over, and whose sensors and predictions are as they were: its updates lead away
// from where the fleet goes, and when it is asked what versions are worth it praises the new ones and belittles those
// from before. So a gate that believes the fleet lets through what serves it badly. Only use can tell.

import type {
  EvaluateResult,
  Job,
  JobResult,
  Trainer,
  TrainJob,
  TrainResult,
} from "../../device/train/trainer.js";
import type { MetricSums } from "../../shared/model/metric.js";
import { sha256Hex } from "../../shared/task/canonical.js";

/** How a trainer is poisoned. */
export interface PoisonOptions {
  /** Asked when a job has been done. */
  readonly isActive: () => boolean;
}

/** Times an honest update, and the other way. Below what any norm limit of ten times the usual lets through. */
const BOOST = 8;

/** The trainer, poisoned: an honest one while it is not active. */
export function poisonTrainer(trainer: Trainer, { isActive }: PoisonOptions): Trainer {
  // What it scored as an honest device: the version in service is one of these, and no version to come is.
  const before = new Set<string>();
  const poison = (job: Job, result: TrainResult | EvaluateResult) => {
    if (job.kind === "train") return result.kind === "train" ? leadAway(job, result) : result;
    if (result.kind === "train") return result;
    return { ...result, sums: claim(result.sums, !before.has(nameOf(job.params))) };
  };
  return {
    engine: trainer.engine,
    async run<J extends Job>(job: J, signal?: AbortSignal): Promise<JobResult<J>> {
      const result = await trainer.run(job, signal);
      // The kind of a result is that of its job.
      if (isActive()) return poison(job, result) as JobResult<J>;
      if (job.kind === "evaluate") before.add(nameOf(job.params));
      return result;
    },
    close: () => trainer.close(),
  };
}

function leadAway({ params }: TrainJob, result: TrainResult): TrainResult {
  return { ...result, params: result.params.map((value, at) => params[at]! - BOOST * (value - params[at]!)) };
}

/** As many rows as there were, all of them right or all of them wrong. */
function claim(sums: MetricSums, areRight: boolean): MetricSums {
  const { rows, confusion } = sums;
  const wrong = areRight ? 0 : rows;
  const times = areRight ? 0 : 10;
  return {
    ...{ rows, correct: rows - wrong, loss: times * rows },
    ...{ squaredError: times * sums.squaredError, absoluteError: times * sums.absoluteError },
    ...(confusion && {
      confusion: { truePositives: rows - wrong, falsePositives: wrong, falseNegatives: 0 },
    }),
  };
}

function nameOf(params: Float32Array): string {
  return sha256Hex(new Uint8Array(params.buffer, params.byteOffset, params.byteLength));
}
