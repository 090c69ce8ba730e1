import { afterAll, beforeAll, expect, test } from "vitest";
import { createRuntime } from "../../shared/model/create-runtime.js";
import { defineModel } from "../../shared/model/define.js";
import { metricValue } from "../../shared/model/metric.js";
import type { Model, ModelRuntime } from "../../shared/model/runtime.js";
import { scoreRows } from "../../shared/model/score.js";
import { createTfjsRuntime, type TfjsRuntime } from "../../shared/model/tfjs.js";
import type { ModelSpec } from "../../shared/task/task.js";
import { largestDifference, makeExamples } from "../support/model.js";

let fused: ModelRuntime;
let tfjs: TfjsRuntime;
beforeAll(async () => {
  fused = await createRuntime("fused-wasm");
  tfjs = await createTfjsRuntime("tfjs-cpu");
});
afterAll(() => {
  fused.dispose();
  tfjs.dispose();
});

const output = { kind: "binary" } as const;
const specs: readonly ModelSpec[] = [
  { kind: "dense", hidden: [], activation: "relu", output },
  { kind: "dense", hidden: [8, 4], activation: "tanh", output },
  {
    ...{ kind: "stacked", hidden: [4], activation: "relu", dropout: 0, output },
    front: { kind: "gru", steps: 3, units: [5] },
  },
];

test.each(specs)(
  "a binary model learns alike on both engines, and its score is their loss: %o",
  async (spec) => {
    const definition = defineModel(spec, 6);
    const { x, y, rows } = makeExamples(definition, 64);
    const start = await (await tfjs.model(definition)).initialParams("binary");
    const train = async (model: Model) => {
      model.load(start);
      model.compile({ optimizer: { kind: "adam", learningRate: 0.02 } });
      for (let step = 0; step < 100; step++) await model.step(x, y, rows);
      model.release();
      const predictions = model.predict(x, rows);
      const loss = await model.lossGradient(x, y, rows, new Float32Array(model.spec.count));
      return { predictions, loss, sums: scoreRows(definition, predictions, y, rows, 1) };
    };
    const ours = await train(await fused.model(definition));
    const theirs = await train(await tfjs.model(definition));
    // A hundred float32 steps, with sums in another order.
    expect(largestDifference(ours.predictions, theirs.predictions)).toBeLessThan(1e-3);
    expect(metricValue(ours.sums, "accuracy")).toBeGreaterThan(0.9);
    expect(ours.sums.confusion).toEqual(theirs.sums.confusion);
    // The engines' losses are float32.
    for (const { loss, sums } of [ours, theirs])
      expect(Math.abs(metricValue(sums, "loss")! - loss)).toBeLessThan(1e-5 * loss);
  },
);
