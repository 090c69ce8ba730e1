import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineModel } from "../../../../shared/model/define.js";
import type { ModelDefinition } from "../../../../shared/model/definition.js";
import type { LossName } from "../../../../shared/model/loss.js";
import type { Model, StepTerms, TrainingOptions } from "../../../../shared/model/runtime.js";
import { createTfjsRuntime, type TfjsRuntime } from "../../../../shared/model/tfjs.js";
import type { TfjsEngineName } from "../../../../shared/model/tfjs-engine.js";
import type { JsonObject, OptimizerSpec, OutputSpec } from "../../../../shared/task/task.js";
import { denseModel, largestDifference, makeExamples } from "../../../support/model.js";

const optimizers: readonly OptimizerSpec[] = [
  { kind: "sgd", learningRate: 0.05 },
  { kind: "momentum", learningRate: 0.05, momentum: 0.9, nesterov: false },
  { kind: "momentum", learningRate: 0.05, momentum: 0.9, nesterov: true },
  { kind: "adam", learningRate: 0.01 },
  { kind: "rmsprop", learningRate: 0.01, decay: 0.9 },
  { kind: "adagrad", learningRate: 0.05 },
];
const sgd: TrainingOptions = { optimizer: optimizers[0]! };

// Dense layers with penalties around a normalisation, whose moving statistics only a training pass updates.
function normalised(name: string): ModelDefinition {
  const penalty = { class_name: "L1L2", config: { l1: 0.01, l2: 0.02 } };
  const layers: JsonObject[] = [
    {
      class_name: "Dense",
      config: { name: "first", units: 5, batch_input_shape: [null, 3], kernel_regularizer: penalty },
    },
    { class_name: "BatchNormalization", config: { name: "norm" } },
    { class_name: "Dense", config: { name: "output", units: 1, activation: "tanh" } },
  ];
  const topology = { class_name: "Sequential", config: { name, layers } };
  return defineModel({ kind: "layers", topology, output: regression("meanSquaredError") }, 3);
}

function regression(loss: "meanSquaredError" | "meanAbsoluteError" | "huber"): OutputSpec {
  return { kind: "regression", loss };
}

describe.each<TfjsEngineName>(["tfjs-wasm", "tfjs-cpu"])("%s", (engine) => {
  let runtime: TfjsRuntime;
  beforeAll(async () => {
    runtime = await createTfjsRuntime(engine);
  });
  afterAll(() => runtime.dispose());

  async function train(model: Model, options: TrainingOptions, steps: number, terms?: StepTerms) {
    const { rows, x, y } = makeExamples(model.definition, 16);
    const losses: number[] = [];
    model.load(await model.initialParams("train"));
    model.compile(options);
    for (let step = 0; step < steps; step++) losses.push(await model.step(x, y, rows, terms));
    model.release();
    return { params: model.params(), losses };
  }

  test("a model names its engine and was refused by no faster one", async () => {
    const model = await runtime.model(denseModel());
    expect(model).toMatchObject({ engine, refusals: [] });
  });

  test.each(optimizers)(
    "$kind %#: a step through its gradient is the step of trainOnBatch",
    async (optimizer) => {
      const model = await runtime.model(normalised("two-paths"));
      const plain = await train(model, { optimizer }, 5);
      const through = await train(model, { optimizer, clip: { kind: "norm", max: 1e9 } }, 5);
      // Both compute the same gradients with the same kernels.
      expect(largestDifference(through.params, plain.params)).toBeLessThan(1e-6);
      expect(
        largestDifference(Float32Array.from(through.losses), Float32Array.from(plain.losses)),
      ).toBeLessThan(1e-6);
    },
  );

  test.each(optimizers)("$kind %#: 5 steps, saved and continued, are 10 steps", async (optimizer) => {
    const model = await runtime.model(denseModel());
    const { rows, x, y } = makeExamples(model.definition, 16);
    const steps = async (count: number) => {
      for (let step = 0; step < count; step++) await model.step(x, y, rows);
    };
    const straight = await train(model, { optimizer }, 10);
    const before = runtime.liveTensors();
    model.load(await model.initialParams("train"));
    model.compile({ optimizer });
    await steps(5);
    const [params, state] = [model.params(), await model.optimizerState()];
    model.compile({ optimizer });
    await steps(3);
    model.load(params);
    await model.loadOptimizerState(state);
    expect(await model.optimizerState()).toEqual(state);
    await steps(5);
    model.release();
    expect(model.params()).toEqual(straight.params);
    expect(runtime.liveTensors()).toBe(before);
  });

  test("a state saved before the first step starts afresh", async () => {
    const model = await runtime.model(denseModel());
    const optimizer: OptimizerSpec = { kind: "adam", learningRate: 0.01 };
    const { rows, x, y } = makeExamples(model.definition, 16);
    const straight = await train(model, { optimizer }, 2);
    model.load(await model.initialParams("train"));
    const before = runtime.liveTensors();
    model.compile({ optimizer });
    await model.loadOptimizerState(await model.optimizerState());
    for (let step = 0; step < 2; step++) await model.step(x, y, rows);
    model.release();
    expect(model.params()).toEqual(straight.params);
    expect(runtime.liveTensors()).toBe(before);
  });

  test.each(optimizers)("$kind %#: a state of another length is refused", async (optimizer) => {
    const model = await runtime.model(denseModel());
    model.compile({ optimizer });
    const load = async () => model.loadOptimizerState(new Float32Array(7));
    await expect(load()).rejects.toMatchObject({ code: "data-invalid", message: /7 values/ });
    model.release();
  });

  test("a gradient leaves params, moving statistics and tensors as they were, and needs no compile", async () => {
    const model = await runtime.model(normalised("gradient"));
    const { rows, x, y } = makeExamples(model.definition, 16);
    const start = await model.initialParams("gradient");
    model.load(start);
    const before = runtime.liveTensors();
    const gradient = new Float32Array(model.spec.count).fill(9);
    const loss = await model.lossGradient(x, y, rows, gradient);
    expect(model.params()).toEqual(start);
    expect(runtime.liveTensors()).toBe(before);
    model.compile(sgd);
    expect(await model.step(x, y, rows)).toBeCloseTo(loss, 6);
    model.release();
    const moved = model.params();
    const fixed = model.spec.entries.filter(({ name }) => name.includes("moving"));
    expect(fixed).toHaveLength(2);
    for (const { offset, size } of fixed) {
      expect(gradient.subarray(offset, offset + size)).toEqual(new Float32Array(size));
      expect(moved.subarray(offset, offset + size)).not.toEqual(start.subarray(offset, offset + size));
      moved.set(start.subarray(offset, offset + size), offset);
    }
    const stepped = start.map((value, at) => value - 0.05 * gradient[at]!);
    expect(largestDifference(moved, stepped)).toBeLessThan(1e-6);
  });

  test("terms join the gradient, and clipping bounds what they make of it", async () => {
    const model = await runtime.model(denseModel());
    const { count } = model.spec;
    const { rows, x, y } = makeExamples(model.definition, 16);
    const start = await model.initialParams("train");
    model.load(start);
    const gradient = new Float32Array(count);
    await model.lossGradient(x, y, rows, gradient);
    const anchor = start.map((value, at) => value + Math.sin(at));
    const correction = start.map((_, at) => Math.cos(at));
    const terms = { proximal: { mu: 0.3, anchor }, correction };
    const sum = gradient.map((value, at) => value + 0.3 * (start[at]! - anchor[at]!) + correction[at]!);
    const length = Math.hypot(...sum);
    const byRule = (bound: (value: number) => number) =>
      start.map((value, at) => value - 0.05 * bound(sum[at]!));
    const cases: readonly [TrainingOptions, Float32Array][] = [
      [sgd, byRule((value) => value)],
      [{ ...sgd, clip: { kind: "norm", max: 0.5 } }, byRule((value) => (value * 0.5) / length)],
      [
        { ...sgd, clip: { kind: "value", max: 0.2 } },
        byRule((value) => Math.max(-0.2, Math.min(0.2, value))),
      ],
    ];
    for (const [options, expected] of cases) {
      const before = runtime.liveTensors();
      const { params } = await train(model, options, 1, terms);
      expect(largestDifference(params, expected)).toBeLessThan(1e-6);
      expect(runtime.liveTensors()).toBe(before);
    }
  });

  test("terms of another length are refused", async () => {
    const model = await runtime.model(denseModel());
    const short = new Float32Array(3);
    for (const terms of [{ correction: short }, { proximal: { mu: 1, anchor: short } }])
      await expect(train(model, sgd, 1, terms)).rejects.toMatchObject({ code: "data-invalid" });
    model.release();
  });

  test("rows and params that hold no numbers are refused, named", async () => {
    const model = await runtime.model(denseModel());
    const params = await model.initialParams("a");
    const spoilt = params.with(31, Number.NaN);
    expect(() => model.load(spoilt)).toThrow('param "hidden_1/bias" [8] holds NaN at 7');
    const x = new Float32Array(12).with(11, Number.POSITIVE_INFINITY);
    expect(() => model.predict(x, 4)).toThrow("input row 3, column 2 is Infinity");
    expect(() => model.predict(x, 3)).toThrow("input holds 12 values, expected 3 rows");
    expect(() => model.predict(new Float32Array(), 0)).toThrow(
      expect.objectContaining({ code: "data-invalid" }),
    );
    model.compile(sgd);
    const y = Float32Array.of(0, Number.NaN);
    await expect(model.step(new Float32Array(6), y, 2)).rejects.toThrow("label row 1, column 0 is NaN");
    model.release();
  });

  test("a model that has diverged still steps, and tells its params and gradient", async () => {
    const model = await runtime.model(normalised("diverged"));
    const { rows, x, y } = makeExamples(model.definition, 16);
    const { params } = await train(model, { optimizer: { kind: "sgd", learningRate: 1e30 } }, 4);
    expect(params.some(Number.isNaN)).toBe(true);
    const gradient = new Float32Array(model.spec.count);
    await model.lossGradient(x, y, rows, gradient);
    expect(model.params()).toEqual(params);
    model.load(await model.initialParams("a"));
    expect(model.params().every(Number.isFinite)).toBe(true);
  });

  test("predictions go into the given array, which may be longer", async () => {
    const model = await runtime.model(denseModel());
    const { rows, x } = makeExamples(model.definition, 5);
    const out = new Float32Array(8).fill(7);
    expect(model.predict(x, rows, out)).toBe(out);
    expect(out).toEqual(Float32Array.of(...model.predict(x, rows), 7, 7, 7));
  });

  test.each<LossName>([
    "meanSquaredError",
    "meanAbsoluteError",
    "huber",
    "binaryCrossentropy",
    "categoricalCrossentropy",
    "sparseCategoricalCrossentropy",
  ])("the loss %s is the one asked for, for one definition after another", async (loss) => {
    const definition = denseModel({ output: { kind: "classification", classes: 4 } });
    const model = await runtime.model(definition, { loss });
    const { rows, x, y } = makeExamples(definition, 6);
    const classes = Float32Array.from({ length: rows }, (_, row) =>
      y.subarray(row * 4, row * 4 + 4).indexOf(1),
    );
    const isSparse = loss === "sparseCategoricalCrossentropy";
    model.load(await model.initialParams("loss"));
    const predicted = model.predict(x, rows);
    const gradient = new Float32Array(model.spec.count);
    const actual = await model.lossGradient(x, isSparse ? classes : y, rows, gradient);
    expect(actual).toBeCloseTo(lossByHand(loss, y, predicted), 5);
    model.compile(sgd);
    expect(await model.step(x, isSparse ? classes : y, rows)).toBeCloseTo(actual, 6);
    model.release();
  });

  test("first params are drawn even where tfjs cannot train, the same as for its own models", async () => {
    const own = await runtime.model(denseModel());
    const before = runtime.liveTensors();
    expect(await runtime.drawInitialParams(denseModel(), "a")).toEqual(await own.initialParams("a"));
    const layers: JsonObject[] = [
      { class_name: "Dense", config: { name: "first", units: 4, batch_input_shape: [null, 3] } },
      { class_name: "Dropout", config: { name: "drop", rate: 0.5 } },
      { class_name: "Dense", config: { name: "output", units: 1 } },
    ];
    const topology = { class_name: "Sequential", config: { name: "dropping", layers } };
    const dropping = defineModel({ kind: "layers", topology, output: regression("meanSquaredError") }, 3);
    await expect(runtime.model(dropping)).rejects.toMatchObject({ code: "model-unsupported" });
    const drawn = await runtime.drawInitialParams(dropping, "a");
    expect(drawn).toHaveLength(21);
    expect(await runtime.drawInitialParams(dropping, "a")).toEqual(drawn);
    expect(await runtime.drawInitialParams(dropping, "b")).not.toEqual(drawn);
    expect(runtime.liveTensors()).toBe(before);
  });

  test("a Huber loss grows with the error beyond 1", async () => {
    const model = await runtime.model(denseModel({ output: regression("huber"), hidden: [] }));
    model.load(new Float32Array(4));
    const loss = await model.lossGradient(
      new Float32Array(6),
      Float32Array.of(0.5, 3),
      2,
      new Float32Array(4),
    );
    expect(loss).toBeCloseTo((0.5 * 0.25 + 0.5 + 2) / 2, 6);
  });

  test("saving a state leaves no data in the backend", async () => {
    const model = await runtime.model(denseModel());
    const backend = tf.findBackend(engine === "tfjs-wasm" ? "wasm" : "cpu");
    const before = backend.numDataIds();
    const optimizer: OptimizerSpec = { kind: "adam", learningRate: 0.01 };
    const { rows, x, y } = makeExamples(model.definition, 4);
    for (let time = 0; time < 3; time++) {
      model.compile({ optimizer });
      await model.step(x, y, rows);
      const state = await model.optimizerState();
      await model.loadOptimizerState(state);
      await model.loadOptimizerState(state);
    }
    model.release();
    expect(backend.numDataIds()).toBe(before);
  });
});

function lossByHand(loss: LossName, truth: Float32Array, predicted: Float32Array): number {
  const rows = truth.length / 4;
  const sum = (rule: (y: number, p: number) => number) =>
    truth.reduce((total, y, at) => total + rule(y, predicted[at]!), 0);
  switch (loss) {
    case "meanSquaredError":
      return sum((y, p) => (y - p) ** 2) / truth.length;
    case "meanAbsoluteError":
      return sum((y, p) => Math.abs(y - p)) / truth.length;
    // Errors of probabilities stay below 1.
    case "huber":
      return sum((y, p) => 0.5 * (y - p) ** 2) / truth.length;
    case "binaryCrossentropy":
      return sum((y, p) => -y * Math.log(p) - (1 - y) * Math.log(1 - p)) / truth.length;
    default:
      return sum((y, p) => -y * Math.log(p)) / rows;
  }
}
