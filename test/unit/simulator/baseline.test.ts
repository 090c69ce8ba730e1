import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createInlineTrainer } from "../../../device/train/inline.js";
import type { ExampleBatch, Job, Trainer } from "../../../device/train/trainer.js";
import { defineModel } from "../../../shared/model/define.js";
import { createTfjsRuntime } from "../../../shared/model/tfjs.js";
import { randomStream } from "../../../shared/random.js";
import type { TrainSpec } from "../../../shared/task/task.js";
import { type LoneDevice, naiveRows, scoreLocalOnly, scoreNaive } from "../../../simulator/baseline.js";
import type { Judge } from "../../../simulator/test-set.js";

const definition = defineModel(
  { kind: "dense", hidden: [], activation: "relu", output: { kind: "regression", loss: "meanSquaredError" } },
  1,
);
const plan: TrainSpec = { epochs: 2, batch: 10, optimizer: { kind: "sgd", learningRate: 0.1 } };
const jobs: Job[] = [];
let trainer: Trainer;

beforeAll(async () => {
  const inline = createInlineTrainer(await createTfjsRuntime("tfjs-cpu"));
  trainer = {
    ...{ engine: inline.engine, close: () => inline.close() },
    run(job, signal) {
      jobs.push(job);
      return inline.run(job, signal);
    },
  };
});

afterAll(() => trainer.close());

/** y = slope * x. */
function line(slope: number, rows: number): ExampleBatch {
  const random = randomStream("line", "x", slope);
  const x = Float32Array.from({ length: rows }, () => 2 * random.uniform() - 1);
  return { rows, x, y: x.map((value) => slope * value) };
}

function judge(...tests: readonly ExampleBatch[]): Judge {
  const rows = tests.reduce((sum, batch) => sum + batch.rows, 0);
  return { trainer, definition, testSet: { batches: tests, isGiven: false, rows }, labelFactor: 1 };
}

const start = { params: new Float32Array(2), plan, seed: "1", metric: "rmse" } as const;

describe("local-only", () => {
  test("learns each device's own line and is judged on its own rows", async () => {
    const devices: LoneDevice[] = [
      { name: "a", train: line(2, 50), steps: 200 },
      { name: "b", train: line(-3, 50), steps: 200 },
    ];
    const {
      value,
      devices: count,
      diverged,
    } = await scoreLocalOnly(judge(line(2, 20), line(-3, 20)), devices, start);
    expect({ count, diverged }).toEqual({ count: 2, diverged: [] });
    expect(value).toBeLessThan(0.01);
  });

  test("makes exactly as many steps as the device made for the federation", async () => {
    jobs.length = 0;
    // Five steps an epoch: two sessions of two epochs, one epoch, and three batches.
    await scoreLocalOnly(judge(line(1, 5)), [{ name: "a", train: line(1, 48), steps: 28 }], start);
    const trained = jobs.filter((job) => job.kind === "train");
    expect(trained.map(({ plan, examples }) => [plan.epochs, examples.rows])).toEqual([
      [2, 48],
      [2, 48],
      [1, 48],
      [1, 30],
    ]);
    expect(new Set(trained.map(({ seed }) => seed)).size).toBe(4);
  });

  test("leaves out devices that made no step", async () => {
    const idle = { name: "b", train: line(-3, 50), steps: 0 };
    const { value, devices } = await scoreLocalOnly(
      judge(line(2, 20), line(-3, 20)),
      [{ name: "a", train: line(2, 50), steps: 200 }, idle],
      start,
    );
    expect(devices).toBe(1);
    expect(value).toBeLessThan(0.01);
  });

  test("pools rows, not devices: one with more rows counts for more", async () => {
    // No training moves params far in one tiny step, so every guess is near 0 and an error is the label itself.
    const slow = { ...plan, optimizer: { kind: "sgd", learningRate: 1e-9 } } as const;
    const [few, many] = [line(5, 3), line(1, 97)];
    const devices = ["a", "b"].map((name) => ({ name, train: line(2, 10), steps: 1 }));
    const { value } = await scoreLocalOnly(judge(few, many), devices, { ...start, plan: slow });
    const squares = [...few.y, ...many.y].reduce((sum, label) => sum + label * label, 0);
    // The steps are 1e-9 long and sums are of float32 errors: five digits hold.
    expect(value).toBeCloseTo(Math.sqrt(squares / 100), 5);
  });

  test("has no value when a single device of many diverged, and names that one", async () => {
    const wild = line(2, 50);
    const devices = [
      { name: "calm", train: line(2, 50), steps: 20 },
      // Features so large that the same learning rate throws the weights out of float32.
      { name: "wild", train: { ...wild, x: wild.x.map((value) => 1e6 * value) }, steps: 20 },
    ];
    const result = await scoreLocalOnly(judge(line(2, 5), line(2, 5)), devices, start);
    expect(result).toEqual({ value: null, devices: 2, diverged: ["wild"] });
  });

  test("names the devices that diverged, and gives no value then", async () => {
    const wild = { ...plan, optimizer: { kind: "sgd", learningRate: 1e6 } } as const;
    const devices = ["a", "b"].map((name) => ({ name, train: line(2, 50), steps: 100 }));
    const result = await scoreLocalOnly(judge(line(2, 5), line(2, 5)), devices, { ...start, plan: wild });
    expect(result).toEqual({ value: null, devices: 2, diverged: ["a", "b"] });
  });
});

describe("the naive rule", () => {
  const tests = [{ labels: [1, 2, 4], persistence: [1, 1, 2] }];

  test("of a forecast is persistence", () => {
    const { value } = scoreNaive("persistence", [], tests, "rmse");
    expect(value).toBeCloseTo(Math.sqrt((0 + 1 + 4) / 3), 12);
  });

  test("of a number is the mean of all train labels", () => {
    const { value } = scoreNaive("mean", [[1, 2], [6]], tests, "rmse");
    expect(value).toBeCloseTo(Math.sqrt((4 + 1 + 1) / 3), 12);
  });

  test("of a class is the commonest of all, the smaller of two", () => {
    expect(
      scoreNaive(
        "majority",
        [
          [1, 2],
          [2, 1, 0],
        ],
        tests,
        "accuracy",
      ).value,
    ).toBeCloseTo(1 / 3, 12);
  });

  test("has no value without rows to judge", () => {
    expect(scoreNaive("mean", [[1]], [], "rmse").value).toBeNull();
    expect(scoreNaive("mean", [], tests, "rmse").value).toBeNull();
  });

  test("takes an example's own persistence, which a field has none of", () => {
    const example = {
      entity: "a",
      timeMs: 0,
      features: new Float32Array(1),
      test: true,
      split: "test",
    } as const;
    const rows = naiveRows([
      { ...example, label: 3, persistence: 2 },
      { ...example, label: 4, persistence: null },
    ]);
    expect(rows).toEqual({ labels: [3, 4], persistence: [2, Number.NaN] });
  });
});
