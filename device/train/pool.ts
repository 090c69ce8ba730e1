// Training on worker threads. Which worker runs a job, and how many there are, changes nothing in its result.

import { assert } from "../../shared/assert.js";
import { HeadwaterError } from "../../shared/error.js";
import type { EngineChoice } from "../../shared/model/runtime.js";
import { PoolWorker, type SpawnWorker, spawnWorker } from "./pool-worker.js";
import type { EvaluateResult, Job, JobResult, Trainer, TrainResult } from "./trainer.js";

/** What a pool is made with. */
export interface TrainerPoolOptions {
  /** Threads: at most the cores, since each computes all the time it works. */
  readonly workers: number;
  readonly engine: EngineChoice;
  /** Jobs that may wait for a worker. Default 4096. */
  readonly maxWaiting?: number;
  readonly spawn?: SpawnWorker;
}

/**
 * A trainer on `workers` threads, all ready. Rejects with HeadwaterError `engine-unavailable`. Its threads keep
 * the process alive until `close`.
 */
export async function createTrainerPool(options: TrainerPoolOptions): Promise<Trainer> {
  assert(options.workers >= 1, "a pool has workers");
  const spawn = options.spawn ?? spawnWorker;
  const start = () => PoolWorker.start(options.engine, spawn);
  const started = await Promise.allSettled(Array.from({ length: options.workers }, start));
  const workers = started.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const failure = started.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) {
    await Promise.all(workers.map((worker) => worker.terminate()));
    throw failure.reason;
  }
  return new TrainerPool(options.engine, workers, start, options.maxWaiting ?? 4096);
}

/** Deaths in a row, without a finished job between them, after which dead workers are no longer replaced. */
const MAX_DEATHS_IN_A_ROW = 8;

interface Waiting {
  readonly job: Job;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: TrainResult | EvaluateResult) => void;
  readonly reject: (error: unknown) => void;
}

class TrainerPool implements Trainer {
  readonly engine: EngineChoice;
  readonly #workers: Set<PoolWorker>;
  readonly #idle: PoolWorker[];
  readonly #start: () => Promise<PoolWorker>;
  readonly #maxWaiting: number;
  /** First come, first served. */
  readonly #waiting: Waiting[] = [];
  #starting = 0;
  #deathsInARow = 0;
  #isClosed = false;

  constructor(
    engine: EngineChoice,
    workers: readonly PoolWorker[],
    start: () => Promise<PoolWorker>,
    maxWaiting: number,
  ) {
    this.engine = engine;
    this.#workers = new Set(workers);
    this.#idle = [...workers];
    this.#start = start;
    this.#maxWaiting = maxWaiting;
  }

  async run<J extends Job>(job: J, signal?: AbortSignal): Promise<JobResult<J>> {
    if (this.#isClosed || signal?.aborted) throw aborted();
    if (this.#waiting.length >= this.#maxWaiting)
      throw new HeadwaterError("training-failed", `${this.#maxWaiting} jobs wait already, the limit`);
    const drop = () => this.#dropAborted();
    signal?.addEventListener("abort", drop, { once: true });
    const result = await new Promise<TrainResult | EvaluateResult>((resolve, reject) => {
      this.#waiting.push({ job, signal, resolve, reject });
      this.#dispatch();
    }).finally(() => signal?.removeEventListener("abort", drop));
    return result as JobResult<J>;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#rejectWaiting(aborted());
    await Promise.all([...this.#workers].map((worker) => worker.terminate()));
  }

  #dispatch(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const worker = this.#idle.shift()!;
      if (worker.death === undefined) void this.#serve(worker, this.#waiting.shift()!);
      else void this.#replace(worker);
    }
    if (this.#workers.size === 0 && this.#starting === 0)
      this.#rejectWaiting(
        new HeadwaterError("training-failed", "every training worker died, again and again"),
      );
  }

  async #serve(worker: PoolWorker, { job, signal, resolve, reject }: Waiting): Promise<void> {
    const stop = () => worker.stop();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      resolve(await worker.run(job));
      this.#deathsInARow = 0;
    } catch (error) {
      reject(this.#isClosed ? aborted() : error);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
    if (worker.death !== undefined) return this.#replace(worker);
    this.#idle.push(worker);
    this.#dispatch();
  }

  async #replace(dead: PoolWorker): Promise<void> {
    this.#workers.delete(dead);
    this.#deathsInARow++;
    if (!this.#isClosed && this.#deathsInARow <= MAX_DEATHS_IN_A_ROW) await this.#startAnother();
    this.#dispatch();
  }

  async #startAnother(): Promise<void> {
    this.#starting++;
    try {
      const worker = await this.#start();
      this.#workers.add(worker);
      this.#idle.push(worker);
      if (this.#isClosed) await worker.terminate();
    } catch {
      // A worker that cannot even start is one fewer: its absence is reported when no other is left.
    } finally {
      this.#starting--;
    }
  }

  #dropAborted(): void {
    const kept = this.#waiting.filter(({ signal }) => !signal?.aborted);
    const dropped = this.#waiting.filter(({ signal }) => signal?.aborted);
    this.#waiting.splice(0, this.#waiting.length, ...kept);
    for (const { reject } of dropped) reject(aborted());
  }

  #rejectWaiting(error: HeadwaterError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

function aborted(): HeadwaterError {
  return new HeadwaterError("aborted", "the job was aborted before it was done");
}
