// One place in the pool: a worker thread that is started, given jobs one by one, and mourned.

import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { assert, unreachable } from "../../shared/assert.js";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import type { EngineChoice } from "../../shared/model/runtime.js";
import type { EvaluateResult, ExampleBatch, Job, TrainResult } from "./trainer.js";
import type { WorkerOptions, WorkerReply, WorkerRequest } from "./worker-message.js";

/** Starts the thread; tests put their own in its place to get hold of it. */
export type SpawnWorker = (options: WorkerOptions) => Worker;

/** The training worker as built. */
export const spawnWorker: SpawnWorker = (options) => {
  const script = createRequire(import.meta.url).resolve("#train-worker");
  return new Worker(script, { workerData: options, name: "headwater-train", resourceLimits: HEAP });
};

/**
 * Of a thread's JavaScript heap; tensors lie outside it. Without bounds V8 lets the garbage of a training step pile up
 * to some eighty megabytes before it looks at it, which a small machine misses; steps are not slower with them.
 */
const HEAP = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 512 } as const;

/** A worker thread of the pool. */
export class PoolWorker {
  readonly #worker: Worker;
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  #settle: PromiseWithResolversOf<WorkerReply> | undefined;
  #death: HeadwaterError | undefined;

  private constructor(engine: EngineChoice, spawn: SpawnWorker) {
    this.#worker = spawn({ engine, stop: this.#stop });
    this.#worker.on("message", (reply: WorkerReply) => this.#take()?.resolve(reply));
    this.#worker.on("error", (cause) => this.#die(cause));
    this.#worker.on("exit", (code) => this.#die(new Error(`it ended with exit code ${code}`)));
  }

  /** A worker whose runtime is ready; rejects with `engine-unavailable` or `training-failed`. */
  static async start(engine: EngineChoice, spawn: SpawnWorker): Promise<PoolWorker> {
    const worker = new PoolWorker(engine, spawn);
    try {
      resultOf(await worker.#reply());
      return worker;
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  /** Why it is no more, once it is no more. */
  get death(): HeadwaterError | undefined {
    return this.#death;
  }

  /** The job's result, or the HeadwaterError it ended with. One job at a time. */
  async run(job: Job): Promise<TrainResult | EvaluateResult> {
    Atomics.store(this.#stop, 0, 0);
    const reply = this.#reply();
    const request: WorkerRequest = {
      job: { ...job, params: compact(job.params), examples: compactAll(job.examples) },
    };
    this.#worker.postMessage(request);
    const result = resultOf(await reply);
    assert(result !== undefined, "a job is answered by its result");
    return result;
  }

  /** Makes the running job reject with `aborted` after its current step. */
  stop(): void {
    Atomics.store(this.#stop, 0, 1);
  }

  /** Ends the thread; a running job rejects. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #reply(): Promise<WorkerReply> {
    assert(this.#settle === undefined, "a worker has one job at a time");
    return new Promise((resolve, reject) => {
      if (this.#death === undefined) this.#settle = { resolve, reject };
      else reject(this.#death);
    });
  }

  #take(): PromiseWithResolversOf<WorkerReply> | undefined {
    const settle = this.#settle;
    this.#settle = undefined;
    return settle;
  }

  #die(cause: Error): void {
    this.#death ??= new HeadwaterError("training-failed", `the training worker died: ${messageOf(cause)}`, {
      cause,
    });
    this.#take()?.reject(this.#death);
  }
}

interface PromiseWithResolversOf<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (reason: Error) => void;
}

function resultOf(reply: WorkerReply): TrainResult | EvaluateResult | undefined {
  switch (reply.kind) {
    case "ready":
      return undefined;
    case "done":
      return reply.result;
    case "failed":
      throw new HeadwaterError(reply.code, reply.message);
    default:
      return unreachable(reply);
  }
}

function compactAll({ rows, x, y }: ExampleBatch): ExampleBatch {
  return { rows, x: compact(x), y: compact(y) };
}

// Posting a view copies all of the buffer behind it; shared memory is not copied at all.
function compact(values: Float32Array): Float32Array {
  const { buffer, byteLength } = values;
  return buffer instanceof SharedArrayBuffer || byteLength === buffer.byteLength ? values : values.slice();
}
