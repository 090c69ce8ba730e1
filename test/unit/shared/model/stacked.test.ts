import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineModel } from "../../../../shared/model/define.js";
import { planModel } from "../../../../shared/model/engine/plan.js";
import { createTfjsRuntime, type TfjsRuntime } from "../../../../shared/model/tfjs.js";
import type { FrontSpec, ModelSpec } from "../../../../shared/task/task.js";

const output = { kind: "classification", classes: 4 } as const;

function stacked(
  front: FrontSpec,
  changes: Partial<Extract<ModelSpec, { kind: "stacked" }>> = {},
): ModelSpec {
  return { kind: "stacked", front, hidden: [8], activation: "relu", dropout: 0, output, ...changes };
}

const fronts: readonly (readonly [FrontSpec, number, number])[] = [
  [{ kind: "none" }, 20, 20 * 8 + 8],
  [
    { kind: "conv1d", steps: 20, filters: [5, 6], kernel: 3, pool: 2 },
    60,
    3 * 3 * 5 + 5 + 3 * 5 * 6 + 6 + 6 * 8 + 8,
  ],
  [{ kind: "gru", steps: 5, units: [6] }, 20, 3 * (4 * 6 + 6 * 6 + 6) + 6 * 8 + 8],
  [
    { kind: "lstm", steps: 5, units: [6, 3] },
    20,
    4 * (4 * 6 + 6 * 6 + 6) + 4 * (6 * 3 + 3 * 3 + 3) + 3 * 8 + 8,
  ],
  [{ kind: "cnn", shape: [8, 9, 1], filters: [3, 4], kernel: 2, pool: 2 }, 72, 15 + 52 + 2 * 3 * 4 * 8 + 8],
];

describe("a topology built from a task", () => {
  let tfjs: TfjsRuntime;
  beforeAll(async () => {
    tfjs = await createTfjsRuntime("tfjs-cpu");
  });
  afterAll(() => tfjs.dispose());

  test.each(fronts)("%o is what tfjs builds, and the fused engine runs it", async (front, inputs, params) => {
    const definition = defineModel(stacked(front), inputs);
    const planned = planModel(definition);
    expect(planned).toMatchObject({ ok: true });
    const { spec } = await tfjs.model(definition);
    expect(planned.ok && planned.plan.spec).toEqual(spec);
    expect(spec.count).toBe(params + 8 * 4 + 4);
  });
});

test("dropout lies before the output layer and has no params", () => {
  const planned = planModel(defineModel(stacked({ kind: "none" }, { dropout: 0.2 }), 20));
  expect(planned.ok && planned.plan.layers.map(({ className }) => className)).toEqual([
    "InputLayer",
    "Dense",
    "Dropout",
    "Dense",
  ]);
});

test.each<readonly [FrontSpec, number, string]>([
  [{ kind: "gru", steps: 7, units: [4] }, 20, "model.gru.steps 7 does not divide the 20 columns"],
  [
    { kind: "cnn", shape: [4, 4, 2], filters: [2], kernel: 2, pool: 2 },
    20,
    "model.cnn.shape [4, 4, 2] has 32 values, the row 20 columns",
  ],
  [
    { kind: "conv1d", steps: 10, filters: [2, 2], kernel: 4, pool: 3 },
    20,
    "model.conv1d: convolution 2 (kernel 4, pool 3) sees 2 of the 10 steps: too few",
  ],
])("%o over %i columns is refused: %s", (front, inputs, message) => {
  expect(() => defineModel(stacked(front), inputs)).toThrow(message);
});
