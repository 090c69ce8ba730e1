import { createRequire } from "node:module";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineModel } from "../../../../shared/model/define.js";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import type { TfjsEngineName } from "../../../../shared/model/tfjs-engine.js";
import type { JsonObject, OptimizerSpec, OutputSpec } from "../../../../shared/task/task.js";
import { denseModel, largestDifference, makeExamples } from "../../../support/model.js";

const sgd: OptimizerSpec = { kind: "sgd", learningRate: 0.1 };
const classification: OutputSpec = { kind: "classification", classes: 4 };
const regression: OutputSpec = { kind: "regression", loss: "meanSquaredError" };

function given(output: OutputSpec, ...layers: readonly JsonObject[]) {
  const topology = { class_name: "Sequential", config: { name: "given", layers } };
  return defineModel({ kind: "layers", topology, output }, 6);
}

describe.each<TfjsEngineName>(["tfjs-wasm", "tfjs-cpu"])("%s", (engine) => {
  let runtime: ModelRuntime;
  beforeAll(async () => {
    runtime = await createTfjsRuntime(engine);
  });
  afterAll(() => runtime.dispose());

  test("params lie in the flat array as tfjs orders them, without gaps", async () => {
    const { spec } = await runtime.model(denseModel());
    expect(spec.entries.map(({ name, shape, offset }) => [name, shape, offset])).toEqual([
      ["hidden_1/kernel", [3, 8], 0],
      ["hidden_1/bias", [8], 24],
      ["output/kernel", [8, 1], 32],
      ["output/bias", [1], 40],
    ]);
  });

  test("building a model twice gives the same object and the same layout", async () => {
    const first = await runtime.model(denseModel());
    expect(await runtime.model(denseModel())).toBe(first);
    const other = await createTfjsRuntime(engine);
    expect((await other.model(denseModel())).spec).toEqual(first.spec);
    other.dispose();
  });

  test("params come back as they were loaded, and the caller's array is not kept", async () => {
    const model = await runtime.model(denseModel());
    fc.assert(
      fc.property(
        fc.float32Array({ minLength: 41, maxLength: 41, noNaN: true, noDefaultInfinity: true }),
        (params) => {
          const copy = params.slice();
          model.load(params);
          params.fill(7);
          expect(model.params()).toEqual(copy);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("initial params are reproducible, differ by seed, and leave the current params alone", async () => {
    const model = await runtime.model(denseModel());
    const current = new Float32Array(model.spec.count).fill(0.5);
    model.load(current);
    const first = await model.initialParams("a");
    expect(await model.initialParams("a")).toEqual(first);
    expect(await model.initialParams("b")).not.toEqual(first);
    expect(new Set(first.slice(0, 24)).size).toBe(24);
    expect(model.params()).toEqual(current);
  });

  test("one full-batch SGD step on a linear model is the gradient step computed by hand", async () => {
    const definition = denseModel({ hidden: [] });
    const model = await runtime.model(definition);
    const { rows, x, y } = makeExamples(definition, 64);
    const params = Float32Array.of(0.3, -0.2, 0.1, 0.05);
    model.load(params);
    model.compile({ optimizer: sgd });
    const loss = await model.step(x, y, rows);
    model.release();
    const expected = linearStep({ params, x, y, rows, learningRate: 0.1 });
    expect(loss).toBeCloseTo(expected.loss, 6);
    // Sums of 64 float32 products, each near 1, rounded to 6e-8: well within 1e-6 after the step of 0.1.
    expect(largestDifference(model.params(), expected.params)).toBeLessThan(1e-6);
  });

  test.each<OptimizerSpec>([
    sgd,
    { kind: "momentum", learningRate: 0.1, momentum: 0.9 },
    { kind: "adam", learningRate: 0.01 },
  ])("200 steps of $kind leave no tensor behind and lower the loss", async (optimizer) => {
    const definition = denseModel();
    const model = await runtime.model(definition);
    const { rows, x, y } = makeExamples(definition, 16);
    const before = runtime.liveTensors();
    model.load(await model.initialParams("leak"));
    model.compile({ optimizer });
    const first = await model.step(x, y, rows);
    const during = runtime.liveTensors();
    let last = first;
    for (let step = 0; step < 199; step++) last = await model.step(x, y, rows);
    model.predict(x, rows);
    expect(runtime.liveTensors()).toBe(during);
    model.release();
    expect(runtime.liveTensors()).toBe(before);
    expect(last).toBeLessThan(first / 2);
  });

  test("a disposed runtime frees all its tensors", async () => {
    const other = await createTfjsRuntime(engine);
    const before = other.liveTensors();
    await other.model(denseModel({ hidden: [5, 5] }));
    other.dispose();
    await Promise.resolve();
    expect(runtime.liveTensors()).toBe(before);
  });

  test("each compile starts a fresh optimizer: the same steps give the same bits", async () => {
    const definition = denseModel({ output: classification });
    const model = await runtime.model(definition);
    const { rows, x, y } = makeExamples(definition, 12);
    const start = await model.initialParams("fresh");
    const train = async () => {
      model.load(start);
      model.compile({ optimizer: { kind: "adam", learningRate: 0.01 } });
      for (let step = 0; step < 5; step++) await model.step(x, y, rows);
      model.release();
      return model.params();
    };
    expect(await train()).toEqual(await train());
  });

  test("recurrent and normalised topologies train", async () => {
    const definition = given(
      regression,
      { class_name: "GRU", config: { name: "gru", units: 4, batch_input_shape: [null, 3, 2] } },
      { class_name: "BatchNormalization", config: { name: "norm" } },
      { class_name: "Dense", config: { name: "output", units: 1 } },
    );
    const model = await runtime.model(definition);
    const first = await model.initialParams("a");
    expect(await model.initialParams("a")).toEqual(first);
    expect(model.predict(new Float32Array(12), 2)).toHaveLength(2);
  });

  test.each<[string, OutputSpec, JsonObject[], RegExp]>([
    ["an unknown layer", regression, [{ class_name: "Magic", config: {} }], /Magic/],
    [
      "an input of another width",
      regression,
      [denseLayer(1, 5)],
      /input shape \[5\] holds 5 values, expected 6/,
    ],
    [
      "an output of another width",
      regression,
      [denseLayer(2, 6)],
      /output shape \[2\] holds 2 values, expected 1/,
    ],
    ["a classifier without softmax", classification, [denseLayer(4, 6)], /softmax/],
    ["a binary output without sigmoid", { kind: "binary" }, [denseLayer(1, 6)], /sigmoid/],
    [
      "a dropout",
      regression,
      [denseLayer(1, 6), { class_name: "Dropout", config: { rate: 0.5 } }],
      /Dropout/,
    ],
    ["no layer to train", regression, [{ ...denseLayer(1, 6, { trainable: false }) }], /cannot be trained/],
  ])("refuses %s when the model is built", async (_, output, layers, message) => {
    const before = runtime.liveTensors();
    const failure = await runtime.model(given(output, ...layers)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "model-unsupported", message: expect.stringMatching(message) });
    expect(runtime.liveTensors()).toBe(before);
  });

  test("another engine does not start beside it in one thread", async () => {
    const other = engine === "tfjs-cpu" ? "tfjs-wasm" : "tfjs-cpu";
    await expect(createTfjsRuntime(other)).rejects.toMatchObject({ code: "engine-unavailable" });
  });
});

test("engines agree on a step, with small and with large layers", async () => {
  // Both sum float32 products, in another order: 784 terms of at most 0.1 differ by about 1e-6.
  const tolerance = 1e-5;
  for (const definition of [denseModel(), denseModel({ hidden: [100, 50], output: classification }, 784)]) {
    const [wasm, cpu] = [await stepOn("tfjs-wasm"), await stepOn("tfjs-cpu")];
    expect(largestDifference(wasm.params, cpu.params)).toBeLessThan(tolerance);
    expect(largestDifference(wasm.predictions, cpu.predictions)).toBeLessThan(tolerance);

    async function stepOn(engine: TfjsEngineName) {
      const runtime = await createTfjsRuntime(engine);
      const model = await runtime.model(definition);
      const { rows, x, y } = makeExamples(definition, 10);
      model.load(await model.initialParams("agree"));
      model.compile({ optimizer: sgd });
      await model.step(x, y, rows);
      const result = { params: model.params(), predictions: model.predict(x, rows) };
      runtime.dispose();
      return result;
    }
  }
});

test.skipIf(isInstalled("@tensorflow/tfjs-node"))(
  "an engine that is not installed says so, with advice",
  async () => {
    const failure = await createTfjsRuntime("tfjs-node").catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "engine-unavailable",
      message: expect.stringContaining("tfjs-wasm"),
    });
  },
);

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

function denseLayer(units: number, inputs: number, more: JsonObject = {}): JsonObject {
  return { class_name: "Dense", config: { name: "it", units, batch_input_shape: [null, inputs], ...more } };
}

interface LinearStep {
  readonly params: Float32Array;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly rows: number;
  readonly learningRate: number;
}

// Mean squared error of w x + b: its gradient is the mean of 2 (w x + b - y) (x, 1).
function linearStep({ params, x, y, rows, learningRate }: LinearStep) {
  const inputs = params.length - 1;
  const gradient = new Float64Array(params.length);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const columns = [...x.subarray(row * inputs, (row + 1) * inputs), 1];
    const error = columns.reduce((sum, value, at) => sum + value * params[at]!, -y[row]!);
    loss += error ** 2 / rows;
    for (const [at, value] of columns.entries()) gradient[at]! += (2 * error * value) / rows;
  }
  return { loss, params: params.map((value, at) => value - learningRate * gradient[at]!) };
}
