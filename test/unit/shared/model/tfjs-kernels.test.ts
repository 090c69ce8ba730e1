import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTfjsRuntime, type TfjsRuntime } from "../../../../shared/model/tfjs.js";
import { addMissingWasmKernels } from "../../../../shared/model/tfjs-kernels.js";
import type { JsonObject } from "../../../../shared/task/task.js";
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

test("sequences, words and films train as on the cpu backend, and no backend keeps their data", async () => {
  const numbers = Float32Array.from({ length: 4 * 12 }, (_, at) => Math.sin(at));
  const words = Float32Array.from({ length: 4 * 12 }, (_, at) => (at * 7) % 5);
  const trained: readonly (readonly [string, number[], JsonObject, Float32Array])[] = [
    ["Conv1D", [6, 2], { filters: 3, kernel_size: [2] }, numbers],
    ["Embedding", [12], { input_dim: 5, output_dim: 3 }, words],
    ["ConvLSTM2D", [2, 2, 3, 1], { filters: 2, kernel_size: [2, 2] }, numbers],
  ];
  const train = async (runtime: TfjsRuntime) => {
    const backends = ["wasm", "cpu"].map((name) => tf.findBackend(name));
    const results: Float32Array[] = [];
    for (const [className, shape, config, x] of trained) {
      const topology = sequential(
        shape,
        layer(className, config),
        layer("Flatten"),
        layer("Dense", { units: 1 }),
      );
      const model = await runtime.model(
        definitionOf({ topology, inputs: 12, outputs: 1, loss: "meanSquaredError" }),
      );
      const y = Float32Array.of(1, 0, -1, 0.5);
      model.load(model.params().map((_, at) => Math.sin(at * 7) / 3));
      model.compile({ optimizer: { kind: "sgd", learningRate: 0.02 } });
      await model.step(x, y, 4);
      const before = backends.map((backend) => backend.numDataIds());
      for (let step = 0; step < 30; step++) await model.step(x, y, 4);
      expect(backends.map((backend) => backend.numDataIds())).toEqual(before);
      model.release();
      results.push(model.params());
    }
    return results;
  };
  const onWasm = await train(wasm);
  wasm.dispose();
  const cpu = await createTfjsRuntime("tfjs-cpu");
  const onCpu = await train(cpu);
  cpu.dispose();
  wasm = await createTfjsRuntime("tfjs-wasm");
  // 31 steps, each rounding its sums of float32 in another order.
  for (const [at, params] of onWasm.entries())
    expect(relativeDifference(params, onCpu[at]!)).toBeLessThan(1e-4);
});

test("adding the missing kernels again changes nothing", () => {
  const before = tf.getKernelsForBackend("wasm");
  addMissingWasmKernels(tf);
  expect(tf.getKernelsForBackend("wasm")).toEqual(before);
  expect(before.map(({ kernelName }) => kernelName)).toContain("Conv2DBackpropFilter");
});
