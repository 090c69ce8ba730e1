import { expect, test } from "vitest";
import { FusedModel } from "../../shared/model/engine/fused-model.js";
import { planModel } from "../../shared/model/engine/plan.js";
import { createWasmMemory } from "../../shared/model/engine/wasm.js";
import { randomStream } from "../../shared/random.js";
import { definitionOf, drawExamples, drawParams, type ParityCase } from "../support/parity.js";
import { parityCases, uncheckedCases } from "../support/parity-cases.js";

// A few of what tfjs checks too, to show that the method finds what it should.
const samples = ["Dense: tanh", "Conv2D: same, stride 2", "LSTM", "LayerNormalization"];
const cases = [...uncheckedCases, ...parityCases.filter(([title]) => samples.includes(title))];

test.each(cases)("%s: the gradient is the slope of the loss", async (_title, given) => {
  const model = build(given);
  const random = randomStream("finite", "differences");
  const { x, y } = drawExamples(given, 8, random);
  const params = drawParams(model.spec, random);
  const gradient = new Float32Array(model.spec.count);
  const lossAt = (at: Float32Array, into = new Float32Array(model.spec.count)) => {
    model.load(at);
    // Starts the masks of dropout anew: every loss is of the same function.
    model.compile({ optimizer: { kind: "sgd", learningRate: 0 }, seed: "masks" });
    return model.lossGradient(x, y, 8, into);
  };
  lossAt(params, gradient);
  const trained = model.trainable;
  for (let trial = 0; trial < 5; trial++) {
    const direction = Float32Array.from(params, (_, at) => (at < trained ? random.normal() : 0));
    const length = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
    const along = (step: number) =>
      lossAt(params.map((value, at) => value + (step * direction[at]!) / length));
    const slope = (along(STEP) - along(-STEP)) / (2 * STEP);
    const expected = gradient.reduce((sum, value, at) => sum + value * direction[at]!, 0) / length;
    const size = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
    // A central difference of float32 losses: rounding 1e-7 / STEP, curvature STEP squared; both well below 1 %.
    expect(Math.abs(slope - expected)).toBeLessThan(0.01 * size);
  }
});

const STEP = 4e-3;

function build(given: ParityCase): FusedModel {
  const definition = definitionOf(given);
  const planned = planModel(definition);
  if (!planned.ok) throw new Error(planned.reasons.join("\n"));
  const initialParams = () => Promise.reject(new Error("not asked for"));
  const parts = { definition, plan: planned.plan, engine: "fused-wasm", initialParams } as const;
  return new FusedModel({ ...parts, create: createWasmMemory, loss: given.loss });
}
