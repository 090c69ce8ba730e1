// Training in place: for tests, tools and single-threaded runs. Nothing else of its thread runs meanwhile.

import { HeadwaterError, messageOf } from "../../shared/error.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { runJob } from "./run-job.js";
import type { Job, JobResult, StopSignal, Trainer } from "./trainer.js";

/**
 * A trainer that runs jobs one after the other on `runtime`, which it owns and disposes when closed. Whoever
 * predicts in the meantime needs a runtime of its own: two users of one model overwrite each other's params.
 */
export function createInlineTrainer(runtime: ModelRuntime): Trainer {
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  const start = async <J extends Job>(job: J, signal?: StopSignal): Promise<JobResult<J>> => {
    if (isClosed || signal?.aborted) throw new HeadwaterError("aborted", "the trainer was closed");
    return runJob(runtime, job, signal).catch(asTrainingFailure);
  };
  return {
    engine: runtime.engine,
    run(job, signal) {
      const result = last.then(() => start(job, signal));
      last = result.catch(() => undefined);
      return result;
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await last;
      runtime.dispose();
    },
  };
}

function asTrainingFailure(cause: unknown): never {
  if (cause instanceof HeadwaterError) throw cause;
  throw new HeadwaterError("training-failed", `training failed: ${messageOf(cause)}`, { cause });
}
