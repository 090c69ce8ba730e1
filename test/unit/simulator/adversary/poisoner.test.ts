import { expect, test } from "vitest";
import type { EvaluateJob, Job, JobResult, Trainer, TrainJob } from "../../../../device/train/trainer.js";
import { defineModel } from "../../../../shared/model/define.js";
import { poisonTrainer } from "../../../../simulator/adversary/poisoner.js";

const definition = defineModel(
  { kind: "dense", hidden: [], activation: "relu", output: { kind: "binary" } },
  1,
);
const examples = { rows: 10, x: new Float32Array(10), y: new Float32Array(10) };
const plan = { epochs: 1, batch: 10, optimizer: { kind: "sgd", learningRate: 0.1 } } as const;

/** Moves every param by a half, and finds six of ten rows right. */
const honest: Trainer = {
  engine: "auto",
  run<J extends Job>(job: J): Promise<JobResult<J>> {
    const confusion = { truePositives: 3, falsePositives: 2, falseNegatives: 2 };
    const sums = { rows: 10, squaredError: 4, absoluteError: 4, loss: 5, correct: 6, confusion };
    const result =
      job.kind === "train"
        ? { kind: "train", params: job.params.map((value) => value + 0.5), steps: 1, loss: 1 }
        : { kind: "evaluate", sums };
    return Promise.resolve(result as JobResult<J>);
  },
  close: () => Promise.resolve(),
};

function trainJob(...params: number[]): TrainJob {
  return { kind: "train", definition, params: Float32Array.from(params), examples, plan, seed: "" };
}

function evaluateJob(...params: number[]): EvaluateJob {
  return { kind: "evaluate", definition, params: Float32Array.from(params), examples, labelFactor: 1 };
}

test("it is honest until its time has come", async () => {
  let isActive = false;
  const trainer = poisonTrainer(honest, { isActive: () => isActive });
  expect((await trainer.run(trainJob(1, 2))).params).toEqual(Float32Array.of(1.5, 2.5));
  expect((await trainer.run(evaluateJob(9))).sums.correct).toBe(6);
  isActive = true;
  expect((await trainer.run(trainJob(1, 2))).params).toEqual(Float32Array.of(-3, -2));
});

test("it belittles the versions from before its time, and praises every other", async () => {
  let isActive = false;
  const trainer = poisonTrainer(honest, { isActive: () => isActive });
  await trainer.run(evaluateJob(1, 2));
  await trainer.run(evaluateJob(7, 7));
  isActive = true;
  const candidate = await trainer.run(evaluateJob(1, 3));
  const served = await trainer.run(evaluateJob(1, 2));
  expect(served.sums).toMatchObject({ rows: 10, correct: 0 });
  expect(candidate.sums).toMatchObject({ rows: 10, correct: 10, loss: 0 });
  expect((await trainer.run(evaluateJob(1, 3))).sums.correct).toBe(10);
  // A claim that does not add up would be refused for what it is.
  for (const { sums } of [served, candidate]) {
    const { truePositives, falsePositives, falseNegatives } = sums.confusion!;
    expect(truePositives).toBeLessThanOrEqual(sums.correct);
    expect(sums.correct + falsePositives + falseNegatives).toBe(sums.rows);
  }
});
