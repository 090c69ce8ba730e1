import { expect, test } from "vitest";
import { ArmsModel, buildTaskModel, claimParams } from "../../../../shared/model/arms-model.js";
import { createRuntime } from "../../../../shared/model/create-runtime.js";
import { parseTask } from "../../../../shared/task/parse.js";

const { task } = parseTask(`task: t
sources: { s: { mqtt: "p", decode: json, time: { field: t, unit: ms } } }
features: { from: s, list: [ { copy: [x] } ] }
label: { field: y }
candidates:
  soft: { model: { dense: [4], activation: tanh } }
  hard: { model: { dense: [4], activation: relu } }
`);

test("params run on the model of the arm they were claimed for, whatever their shape", async () => {
  const runtime = await createRuntime("fused-js");
  const model = await buildTaskModel(task, runtime);
  if (!(model instanceof ArmsModel)) throw new Error("a task with candidates has arms");
  const params = Float32Array.from({ length: model.spec.count }, () => -1);
  const other = params.slice();
  claimParams(model, params, "hard");
  claimParams(model, other, "soft");
  const x = Float32Array.of(1);
  model.load(params);
  // Every hidden unit is at relu(-2) = 0, and the bias is left.
  expect(model.predict(x, 1)[0]).toBe(-1);
  model.load(other);
  // tanh(-2) of four units, each times -1, and the bias.
  expect(model.predict(x, 1)[0]).toBeCloseTo(-4 * Math.tanh(-2) - 1, 5);
  expect(() => model.load(params.slice())).toThrow(/claimed/);
  expect(() => claimParams(model, params, "none")).toThrow(/no candidate is called none/);
  runtime.dispose();
});
