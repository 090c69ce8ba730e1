import { afterAll, beforeAll, expect, test } from "vitest";
import { createTfjsRuntime, type TfjsRuntime } from "../../../../shared/model/tfjs.js";
import {
  definitionOf,
  layer,
  type ParityCase,
  pair,
  relativeDifference,
  sequential,
} from "../../../support/parity.js";

let wasm: TfjsRuntime;
beforeAll(async () => {
  wasm = await createTfjsRuntime("tfjs-wasm");
});
afterAll(() => wasm.dispose());

const small = { kernel_size: [2, 2], filters: 3 };
const cases: readonly (readonly [string, ParityCase])[] = [
  ["Conv2D", [layer("Conv2D", small)]],
  ["DepthwiseConv2D", [layer("Conv2D", small), layer("DepthwiseConv2D", { kernel_size: [2, 2] })]],
  ["SeparableConv2D", [layer("SeparableConv2D", small)]],
  ["Conv2DTranspose", [layer("Conv2DTranspose", small)]],
].map(([name, layers]) => {
  const topology = sequential(
    [4, 5, 2],
    ...(layers as ReturnType<typeof layer>[]),
    layer("Flatten"),
    layer("Dense", { units: 2 }),
  );
  return [String(name), { topology, inputs: 40, outputs: 2, loss: "meanSquaredError" }];
});

test.each(cases)(
  "%s trains on the wasm backend of tfjs, and leaves no tensor behind",
  async (_name, given) => {
    const model = await wasm.model(definitionOf(given));
    const x = Float32Array.from({ length: 6 * 40 }, (_, at) => Math.sin(at));
    const y = Float32Array.from({ length: 12 }, (_, at) => Math.cos(at));
    model.load(model.params().map((_, at) => Math.sin(at * 7) / 3));
    model.compile({ optimizer: { kind: "sgd", learningRate: 0.02 } });
    const first = await model.step(x, y, 6);
    const before = wasm.liveTensors();
    let last = first;
    for (let step = 0; step < 30; step++) last = await model.step(x, y, 6);
    expect(wasm.liveTensors()).toBe(before);
    expect(last).toBeLessThan(0.8 * first);
    model.release();
  },
);

test("its gradients are those of the fused engine", async () => {
  const [, given] = cases[0]!;
  const { fused, tfjs, x, y, rows } = await pair(wasm, given);
  const [ours, theirs] = [new Float32Array(fused.spec.count), new Float32Array(fused.spec.count)];
  await fused.lossGradient(x, y, rows, ours);
  await tfjs.lossGradient(x, y, rows, theirs);
  expect(relativeDifference(ours, theirs)).toBeLessThan(1e-5);
});
