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
