import { describe, expect, test } from "vitest";
import { createRuntime } from "../../../../shared/model/create-runtime.js";
import { defineModel } from "../../../../shared/model/define.js";
import type { JsonObject } from "../../../../shared/task/task.js";
import { denseModel, makeExamples } from "../../../support/model.js";

const output = { kind: "regression", loss: "meanSquaredError" } as const;

function withActivation(activation: string) {
  const layers: JsonObject[] = [
    { class_name: "Dense", config: { name: "odd", units: 4, activation, batch_input_shape: [null, 3] } },
    { class_name: "Dense", config: { name: "out", units: 1 } },
  ];
  const topology = { class_name: "Sequential", config: { name: "given", layers } };
  return defineModel({ kind: "layers", topology, output }, 3);
}

describe("auto", () => {
  test("runs a covered model on the fused engine", async () => {
    const runtime = await createRuntime("auto");
    const { engine, refusals } = await runtime.model(denseModel());
    expect([engine, refusals]).toEqual(["fused-wasm", []]);
    runtime.dispose();
  });

  test("runs another on tfjs, and says why", async () => {
    const runtime = await createRuntime("auto");
    const definition = withActivation("swish");
    const model = await runtime.model(definition);
    expect(model.engine).toBe("tfjs-wasm");
    expect(model.refusals).toEqual([
      { engine: "fused-wasm", reasons: ['layer "odd" (Dense): option activation "swish"'] },
    ]);
    const { x, y, rows } = makeExamples(definition, 8);
    model.compile({ optimizer: { kind: "sgd", learningRate: 0.01 } });
    expect(await model.step(x, y, rows)).toBeGreaterThan(0);
    runtime.dispose();
  });

  test("first params are those of tfjs", async () => {
    const [auto, tfjs] = [await createRuntime("auto"), await createRuntime("tfjs-wasm")];
    const [ours, theirs] = [await auto.model(denseModel()), await tfjs.model(denseModel())];
    expect(ours.spec).toEqual(theirs.spec);
    expect(await ours.initialParams("seed")).toEqual(await theirs.initialParams("seed"));
    auto.dispose();
    tfjs.dispose();
  });
});

test("an engine asked for by name runs no other: what it does not cover is refused", async () => {
  for (const engine of ["fused-wasm", "fused-js"] as const) {
    const runtime = await createRuntime(engine);
    expect((await runtime.model(denseModel())).engine).toBe(engine);
    await expect(runtime.model(withActivation("swish"))).rejects.toMatchObject({
      code: "model-unsupported",
      message: 'layer "odd" (Dense): option activation "swish"',
    });
    runtime.dispose();
  }
});

describe("a binary output", () => {
  const dense = (units: number, activation: string, config: JsonObject = {}): JsonObject => ({
    class_name: "Dense",
    config: { name: `dense_${activation}_${units}`, units, activation, ...config },
  });
  const endingIn = (...ending: JsonObject[]) => {
    const layers = [dense(4, "tanh", { batch_input_shape: [null, 3] }), ...ending];
    const topology = { class_name: "Sequential", config: { name: "given", layers } };
    return defineModel({ kind: "layers", topology, output: { kind: "binary" } }, 3);
  };

  test.each(["linear", "relu", "tanh", "softplus", "softmax"])("that ends in %s is refused", async (last) => {
    const runtime = await createRuntime("auto");
    await expect(runtime.model(endingIn(dense(1, last)))).rejects.toThrow(
      "expected 0.5: a binary model's last activation is sigmoid",
    );
    runtime.dispose();
  });

  test("may end in any layer behind a sigmoid, on every engine; first params are as drawn", async () => {
    const activation = { class_name: "Activation", config: { name: "last", activation: "sigmoid" } };
    const definition = endingIn(dense(1, "linear"), activation);
    for (const engine of ["fused-wasm", "fused-js", "tfjs-wasm"] as const) {
      const runtime = await createRuntime(engine);
      const model = await runtime.model(definition);
      model.load(await model.initialParams("seed"));
      const [probability] = model.predict(Float32Array.of(1, 2, 3), 1);
      expect(probability).toBeGreaterThan(0);
      expect(probability).toBeLessThan(1);
      runtime.dispose();
    }
  });
});

test("a classifier without softmax is refused", async () => {
  const layers = [{ class_name: "Dense", config: { name: "out", units: 4, batch_input_shape: [null, 3] } }];
  const topology = { class_name: "Sequential", config: { name: "given", layers } };
  const definition = defineModel(
    { kind: "layers", topology, output: { kind: "classification", classes: 4 } },
    3,
  );
  const runtime = await createRuntime("auto");
  await expect(runtime.model(definition)).rejects.toThrow("a classifier's last activation is softmax");
  runtime.dispose();
});
