// A training worker: a thread with a warm runtime of its own, one job at a time.

import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../shared/assert.js";
import { HeadwaterError } from "../../shared/error.js";
import { createRuntime } from "../../shared/model/create-runtime.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { runJob } from "./run-job.js";
import type { Job, StopSignal } from "./trainer.js";
import type { WorkerOptions, WorkerReply, WorkerRequest } from "./worker-message.js";

assert(parentPort !== null, "the training worker runs in a worker thread");
const port = parentPort;
const { engine, stop } = workerData as WorkerOptions;
const signal: StopSignal = {
  get aborted() {
    return Atomics.load(stop, 0) !== 0;
  },
};

const runtime = await createRuntime(engine).catch(reportFailure);
if (runtime !== undefined) serve(runtime);

function serve(runtime: ModelRuntime): void {
  port.on("message", async ({ job }: WorkerRequest) => {
    try {
      await answer(runtime, job);
    } catch (error) {
      reportFailure(error);
    }
  });
  reply({ kind: "ready" });
}

async function answer(runtime: ModelRuntime, job: Job): Promise<void> {
  await runtime.model(job.definition);
  const before = runtime.liveTensors();
  const result = await runJob(runtime, job, signal);
  const leaked = runtime.liveTensors() - before;
  assert(leaked === 0, `a ${job.kind} job left ${leaked} tensors behind`);
  const transfer = result.kind === "train" ? [result.params.buffer as ArrayBuffer] : [];
  reply({ kind: "done", result }, transfer);
}

// An expected failure is an answer; a bug ends this thread, loudly, and the pool replaces it.
function reportFailure(error: unknown): undefined {
  if (!(error instanceof HeadwaterError)) throw error;
  reply({ kind: "failed", code: error.code, message: error.message });
}

function reply(message: WorkerReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
