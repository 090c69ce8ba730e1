// Requests that come together are computed together: what arrives in one turn of the event loop always, what arrives
// within 2 ms only where that saves more than it costs. A long request is computed in pieces, so that nothing else waits
// for all of it.

import type { Clock } from "../clock.js";
import type { Counters } from "../counters.js";
import { messageOf } from "../error.js";
import { readAnswer } from "../model/answer.js";
import { isAllFinite } from "../params/vector.js";
import { scaleInto } from "../pipeline/scaler.js";
import { Payoff } from "./payoff.js";
import { answered, failed, type Outcome } from "./problem.js";
import { emptyScores, type Scores } from "./scores.js";
import type { ServedModel, ServedVersion } from "./served-model.js";

/** Bounds of what waits to be computed. */
export interface BatchLimits {
  /** Computed at once. */
  readonly batchRows: number;
  /** Most rows that wait; more are turned away. */
  readonly queueRows: number;
  /** How long a request waits for others, where that pays. */
  readonly waitMs: number;
  /** A request that has waited this long is answered with an error. */
  readonly timeoutMs: number;
}

export const defaultBatchLimits: BatchLimits = {
  batchRows: 32,
  queueRows: 4_096,
  waitMs: 2,
  timeoutMs: 5_000,
};

/** Computing in one go for longer than this would be felt by everything else in the process. */
const SLICE_MS = 4;
const RETRY_MS = 1_000;

/** Rows to score with a version. */
export interface ScoreRequest {
  readonly version: ServedVersion;
  /** Unscaled, row-major. */
  readonly features: Float32Array;
  readonly rows: number;
}

interface Job extends ScoreRequest {
  readonly scores: Scores;
  readonly arrivedMs: number;
  /** Rows that are computed. */
  done: number;
  readonly resolve: (outcome: Outcome<Scores>) => void;
}

/** A part of a job that is computed now. */
interface Slice {
  readonly job: Job;
  readonly from: number;
  readonly rows: number;
}

/** Scores rows for many callers with one model, in order of arrival. */
export class Batcher {
  readonly #served: ServedModel;
  readonly #limits: BatchLimits;
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #payoff: Payoff;
  readonly #x: Float32Array;
  #queue: Job[] = [];
  #queuedRows = 0;
  #isRunning = false;

  constructor(options: {
    readonly served: ServedModel;
    readonly clock: Clock;
    readonly counters: Counters;
    readonly limits?: Partial<BatchLimits> | undefined;
  }) {
    this.#served = options.served;
    this.#clock = options.clock;
    this.#counters = options.counters;
    this.#limits = { ...defaultBatchLimits, ...options.limits };
    this.#payoff = new Payoff(this.#limits.waitMs);
    this.#x = new Float32Array(this.#limits.batchRows * options.served.model.definition.inputs);
  }

  /** Never rejects. */
  score(request: ScoreRequest): Promise<Outcome<Scores>> {
    const { queueRows } = this.#limits;
    const { rows } = request;
    if (this.#queuedRows + rows > queueRows) {
      const message = `${this.#queuedRows} rows wait to be computed, the limit is ${queueRows}`;
      return Promise.resolve(failed({ code: 429, reason: "queue-full", message, retryMs: RETRY_MS }));
    }
    const arrivedMs = this.#clock.elapsed();
    this.#payoff.arrived(arrivedMs);
    const scores = emptyScores(this.#served.model.definition, rows);
    return new Promise((resolve) => {
      this.#queue.push({ ...request, scores, arrivedMs, done: 0, resolve });
      this.#queuedRows += rows;
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    if (this.#queuedRows < this.#limits.batchRows && this.#payoff.isWorthWaiting) await this.#wait();
    else await this.#clock.turn();
    let sinceMs = this.#clock.elapsed();
    while (this.#queue.length > 0) {
      this.#computeBatch();
      if (this.#queue.length === 0 || this.#clock.elapsed() - sinceMs < SLICE_MS) continue;
      await this.#clock.turn();
      sinceMs = this.#clock.elapsed();
    }
    this.#isRunning = false;
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(this.#limits.waitMs, resolve));
  }

  #computeBatch(): void {
    const slices = this.#takeSlices();
    const [first] = slices;
    if (first === undefined) return;
    const startedMs = this.#clock.elapsed();
    try {
      this.#compute(slices, first.job.version);
    } catch (error) {
      this.#fail(slices, messageOf(error));
    }
    const rows = slices.reduce((sum, slice) => sum + slice.rows, 0);
    this.#payoff.computed(rows, this.#clock.elapsed() - startedMs);
    this.#counters.add("inference.batches");
    for (const { job } of slices) {
      if (job.done < job.rows) continue;
      job.resolve(answered(job.scores));
    }
    this.#queue = this.#queue.filter((job) => job.done < job.rows);
  }

  /** Rows of one version from the head of the queue; what has waited too long is answered on the way. */
  #takeSlices(): readonly Slice[] {
    this.#dropLate();
    const slices: Slice[] = [];
    let room = this.#limits.batchRows;
    for (const job of this.#queue) {
      if (room === 0 || job.version !== this.#queue[0]?.version) break;
      const rows = Math.min(room, job.rows - job.done);
      slices.push({ job, from: job.done, rows });
      room -= rows;
    }
    return slices;
  }

  #dropLate(): void {
    const { timeoutMs } = this.#limits;
    const nowMs = this.#clock.elapsed();
    const isLate = (job: Job) => job.done === 0 && nowMs - job.arrivedMs > timeoutMs;
    for (const job of this.#queue.filter(isLate)) {
      const message = `the request has waited for more than ${timeoutMs} ms`;
      job.resolve(failed({ code: 503, reason: "timeout", message, retryMs: RETRY_MS }));
      this.#queuedRows -= job.rows;
    }
    this.#queue = this.#queue.filter((job) => !isLate(job));
  }

  #compute(slices: readonly Slice[], version: ServedVersion): void {
    const { model } = this.#served;
    const { inputs, outputs: width, output } = model.definition;
    let rows = 0;
    for (const { job, from, rows: count } of slices) {
      for (let row = 0; row < count; row++, rows++) {
        const at = (from + row) * inputs;
        scaleInto(version.scaler, job.features.subarray(at, at + inputs), this.#x, rows * inputs);
      }
    }
    const x = this.#x.subarray(0, rows * inputs);
    if (!isAllFinite(x)) {
      this.#refuseUnscalable(slices);
      return;
    }
    model.load(version.params);
    // First, because it predicts too, and what a prediction lies in is the model's.
    const threshold = this.#served.threshold?.(version);
    const outputs = model.predict(x, rows);
    let at = 0;
    for (const slice of slices) {
      for (let row = 0; row < slice.rows; row++, at++) {
        const out = outputs.subarray(at * width, (at + 1) * width);
        const answer = readAnswer(output, version.scaler, out, x.subarray(at * inputs, (at + 1) * inputs));
        put(slice.job.scores, slice.from + row, answer, { out, threshold });
      }
      this.#finish(slice.job, slice.rows);
    }
  }

  /** A finite number that is beyond float32 once it is scaled. Whoever sent the others is not to suffer for it. */
  #refuseUnscalable(slices: readonly Slice[]): void {
    const { inputs } = this.#served.model.definition;
    let row = 0;
    for (const { job, rows } of slices) {
      const isFine = isAllFinite(this.#x.subarray(row * inputs, (row + rows) * inputs));
      row += rows;
      if (isFine) continue;
      const message = "a feature is so far from what the model has learned from that it cannot be scaled";
      this.#end(job, failed({ code: 422, reason: "out-of-scale", message }));
    }
  }

  #fail(slices: readonly Slice[], detail: string): void {
    const message = `the model could not compute: ${detail}`;
    for (const { job } of slices) this.#end(job, failed({ code: 500, reason: "model-failed", message }));
  }

  #finish(job: Job, rows: number): void {
    job.done += rows;
    if (job.done === job.rows) this.#queuedRows -= job.rows;
  }

  #end(job: Job, outcome: Outcome<Scores>): void {
    if (job.done === job.rows) return;
    job.resolve(outcome);
    job.done = job.rows;
    this.#queuedRows -= job.rows;
  }
}

function put(
  scores: Scores,
  row: number,
  { value, probability }: ReturnType<typeof readAnswer>,
  { out, threshold }: { readonly out: Float32Array; readonly threshold: number | undefined },
): void {
  scores.value[row] = value;
  if (scores.probability !== undefined) scores.probability[row] = probability ?? Number.NaN;
  scores.probabilities?.set(out, row * out.length);
  if (threshold === undefined) return;
  scores.anomaly ??= new Uint8Array(scores.value.length);
  scores.anomaly[row] = value > threshold ? 1 : 0;
}
