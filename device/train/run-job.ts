// One job from start to end on one runtime: same job, same bits, whoever runs it and whatever ran before.

import { assert } from "../../shared/assert.js";
import { HeadwaterError } from "../../shared/error.js";
import { emptyMetricSums, mergeMetricSums } from "../../shared/model/metric.js";
import type { Model, ModelRuntime } from "../../shared/model/runtime.js";
import { scoreRows } from "../../shared/model/score.js";
import { isAllFinite } from "../../shared/params/vector.js";
import { randomStream } from "../../shared/random.js";
import { BatchGatherer } from "./batch.js";
import {
  EVALUATE_ROWS,
  type EvaluateJob,
  type EvaluateResult,
  type ExampleBatch,
  type Job,
  type JobResult,
  type StopSignal,
  type TrainJob,
  type TrainResult,
} from "./trainer.js";

/**
 * Runs `job` to its end; rejects with HeadwaterError `aborted` soon after `signal` aborts. Never yields to
 * timers or input on its own: threads that serve others leave jobs to a worker.
 */
export async function runJob<J extends Job>(
  runtime: ModelRuntime,
  job: J,
  signal?: StopSignal,
): Promise<JobResult<J>> {
  const model = await runtime.model(job.definition);
  checkShape(model, job.examples);
  model.load(job.params);
  const result = job.kind === "train" ? await train(model, job, signal) : evaluate(model, job, signal);
  return result as JobResult<J>;
}

function checkShape({ definition }: Model, { rows, x, y }: ExampleBatch): void {
  assert(x.length === rows * definition.inputs, `${x.length} inputs are not ${rows} x ${definition.inputs}`);
  assert(
    y.length === rows * definition.outputs,
    `${y.length} outputs are not ${rows} x ${definition.outputs}`,
  );
}

async function train(model: Model, job: TrainJob, signal: StopSignal | undefined): Promise<TrainResult> {
  const { examples, plan } = job;
  if (examples.rows === 0) throw new HeadwaterError("data-missing", "no examples to train on");
  const gatherer = new BatchGatherer(examples, Math.min(plan.batch, examples.rows));
  const order = Uint32Array.from({ length: examples.rows }, (_, row) => row);
  const random = randomStream(job.seed, "batches");
  let steps = 0;
  let loss = 0;
  model.compile({ optimizer: plan.optimizer, clip: plan.clip, seed: job.seed });
  try {
    for (let epoch = 0; epoch < plan.epochs && Number.isFinite(loss); epoch++) {
      const pass = await trainEpoch(model, gatherer, random.shuffle(order), signal);
      steps += pass.steps;
      loss = pass.loss;
    }
  } finally {
    model.release();
  }
  const params = model.params();
  return { kind: "train", params, steps, loss: isAllFinite(params) ? loss : Number.NaN };
}

// A loss that is no number stays so: the steps after it would be wasted.
async function trainEpoch(
  model: Model,
  gatherer: BatchGatherer,
  order: Uint32Array,
  signal: StopSignal | undefined,
): Promise<{ readonly steps: number; readonly loss: number }> {
  let steps = 0;
  let lossSum = 0;
  for (let start = 0; start < order.length; start += gatherer.capacity) {
    throwIfAborted(signal);
    const { x, y, rows } = gatherer.gather(order, start);
    const step = model.step(x, y, rows);
    // An engine that is done at once need not wait for a turn of the event loop.
    const loss = typeof step === "number" ? step : await step;
    steps++;
    if (!Number.isFinite(loss)) return { steps, loss: Number.NaN };
    lossSum += loss * rows;
  }
  return { steps, loss: lossSum / order.length };
}

function evaluate(model: Model, job: EvaluateJob, signal: StopSignal | undefined): EvaluateResult {
  const { definition, examples, labelFactor } = job;
  const { inputs, outputs } = definition;
  let sums = emptyMetricSums;
  for (let start = 0; start < examples.rows; start += EVALUATE_ROWS) {
    throwIfAborted(signal);
    const end = Math.min(start + EVALUATE_ROWS, examples.rows);
    const predictions = model.predict(examples.x.subarray(start * inputs, end * inputs), end - start);
    const y = examples.y.subarray(start * outputs, end * outputs);
    sums = mergeMetricSums(sums, scoreRows(definition, predictions, y, end - start, labelFactor));
  }
  return { kind: "evaluate", sums };
}

function throwIfAborted(signal: StopSignal | undefined): void {
  if (signal?.aborted) throw new HeadwaterError("aborted", "the job was aborted");
}
