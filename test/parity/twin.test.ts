import { describe, expect, test } from "vitest";
import { FusedModel } from "../../shared/model/engine/fused-model.js";
import { planModel } from "../../shared/model/engine/plan.js";
import { createTwinMemory } from "../../shared/model/engine/twin/twin.js";
import { createWasmMemory } from "../../shared/model/engine/wasm.js";
import { randomStream } from "../../shared/random.js";
import type { ClipSpec, OptimizerSpec } from "../../shared/task/task.js";
import { definitionOf, drawExamples, drawParams, type ParityCase } from "../support/parity.js";
import { parityCases, uncheckedCases } from "../support/parity-cases.js";

const OPTIMIZERS: readonly OptimizerSpec[] = [
  { kind: "sgd", learningRate: 0.01 },
  { kind: "momentum", learningRate: 0.01, momentum: 0.9 },
  { kind: "momentum", learningRate: 0.01, momentum: 0.9, nesterov: true },
  { kind: "adam", learningRate: 0.01 },
  { kind: "rmsprop", learningRate: 0.01, decay: 0.9 },
  { kind: "adagrad", learningRate: 0.01 },
];
const CLIPS: readonly (ClipSpec | undefined)[] = [
  undefined,
  { kind: "norm", max: 0.5 },
  { kind: "value", max: 0.05 },
];

describe("the compiled kernels and their twin in JavaScript give the same bits", () => {
  test.each([...parityCases, ...uncheckedCases])("%s", (title, given) => {
    const optimizer = OPTIMIZERS[title.length % OPTIMIZERS.length]!;
    const clip = CLIPS[title.length % CLIPS.length];
    expect(train(given, createTwinMemory, optimizer, clip)).toEqual(
      train(given, createWasmMemory, optimizer, clip),
    );
  });

  test("however many rows and columns a product has", () => {
    for (const rows of [1, 2, 3, 4, 5, 7, 8, 13])
      for (const width of [1, 3, 4, 5, 8, 15, 17, 33]) {
        const given = wide(rows + 1, width);
        const [optimizer] = OPTIMIZERS;
        expect(train(given, createTwinMemory, optimizer!, undefined, rows)).toEqual(
          train(given, createWasmMemory, optimizer!, undefined, rows),
        );
      }
  });
});

// A product longer than a block of its sum, too.
function wide(inputs: number, units: number): ParityCase {
  const input = { name: "in", batch_input_shape: [null, inputs * 40], dtype: "float32", sparse: false };
  const layers = [
    { class_name: "InputLayer", config: input },
    { class_name: "Dense", config: { name: "a", units, activation: "tanh" } },
    { class_name: "Dense", config: { name: "b", units: 2 } },
  ];
  const topology = { class_name: "Sequential", config: { name: "wide", layers } };
  return { topology, inputs: inputs * 40, outputs: 2, loss: "meanSquaredError" };
}

function train(
  given: ParityCase,
  create: typeof createWasmMemory,
  optimizer: OptimizerSpec,
  clip: ClipSpec | undefined,
  rows = 7,
) {
  const definition = definitionOf(given);
  const planned = planModel(definition);
  if (!planned.ok) throw new Error(planned.reasons.join("\n"));
  const initialParams = () => Promise.reject(new Error("not asked for"));
  const parts = { definition, plan: planned.plan, engine: "fused-wasm", initialParams } as const;
  const model = new FusedModel({ ...parts, create, loss: given.loss });
  const random = randomStream("twin", "parity");
  const { x, y } = drawExamples(given, rows, random);
  const params = drawParams(model.spec, random);
  model.load(params);
  model.compile({ optimizer, clip, seed: "twin" });
  const proximal = { mu: 0.1, anchor: params };
  const losses = [0, 1, 2].map(() =>
    model.step(x, y, rows, { proximal, correction: params.map((v) => v / 100) }),
  );
  const words = (values: Float32Array) => [...new Uint32Array(values.slice().buffer)];
  return { losses, params: words(model.params()), outputs: words(model.predict(x, rows)) };
}
