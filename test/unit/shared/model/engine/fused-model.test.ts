import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clip } from "../../../../../shared/model/clip.js";
import { FusedModel } from "../../../../../shared/model/engine/fused-model.js";
import { planModel } from "../../../../../shared/model/engine/plan.js";
import { createWasmMemory } from "../../../../../shared/model/engine/wasm.js";
import type { Model } from "../../../../../shared/model/runtime.js";
import { createTfjsRuntime, type TfjsRuntime } from "../../../../../shared/model/tfjs.js";
import type { OptimizerSpec } from "../../../../../shared/task/task.js";
import {
  definitionOf,
  layer,
  type ParityCase,
  pair,
  relativeDifference,
  sequential,
} from "../../../../support/parity.js";

const OPTIMIZERS: readonly OptimizerSpec[] = [
  { kind: "sgd", learningRate: 0.05 },
  { kind: "momentum", learningRate: 0.02, momentum: 0.9 },
  { kind: "momentum", learningRate: 0.02, momentum: 0.9, nesterov: true },
  { kind: "adam", learningRate: 0.01 },
  { kind: "rmsprop", learningRate: 0.01, decay: 0.9 },
  { kind: "adagrad", learningRate: 0.05 },
];

const given: ParityCase = {
  topology: sequential(
    [6],
    layer("Dense", { units: 9, activation: "tanh", name: "hidden" }),
    layer("BatchNormalization"),
    layer("Dense", { units: 3, name: "out" }),
  ),
  ...{ inputs: 6, outputs: 3, loss: "meanSquaredError" },
};

function build(of: ParityCase = given): FusedModel {
  const definition = definitionOf(of);
  const planned = planModel(definition);
  if (!planned.ok) throw new Error(planned.reasons.join("\n"));
  const initialParams = () => Promise.reject(new Error("not asked for"));
  const parts = { definition, plan: planned.plan, engine: "fused-wasm", initialParams } as const;
  return new FusedModel({ ...parts, create: createWasmMemory, loss: of.loss });
}

let runtime: TfjsRuntime;
beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
});
afterAll(() => runtime.dispose());

describe("optimizers", () => {
  // One step from the same params and rows: gradients differ by rounding, which 1e-5 of the largest covers; what the
  // optimizer itself adds shows in the second digit behind it.
  test.each(OPTIMIZERS)("%o: 5 steps as tfjs makes them", async (optimizer) => {
    const { fused, tfjs, x, y, rows } = await pair(runtime, given, 32);
    fused.compile({ optimizer });
    tfjs.compile({ optimizer });
    for (let step = 0; step < 5; step++) {
      await fused.step(x, y, rows);
      await tfjs.step(x, y, rows);
    }
    tfjs.release();
    expect(relativeDifference(fused.params(), tfjs.params())).toBeLessThan(1e-5);
  });

  test.each(OPTIMIZERS)("%o: a saved state continues to the same bits", async (optimizer) => {
    const { fused, params, x, y, rows } = await pair(runtime, given, 16);
    const steps = async (model: Model, count: number) => {
      for (let step = 0; step < count; step++) await model.step(x, y, rows);
    };
    fused.compile({ optimizer });
    await steps(fused, 10);
    const straight = fused.params();
    fused.load(params);
    fused.compile({ optimizer });
    await steps(fused, 5);
    const [saved, middle] = [await fused.optimizerState(), fused.params()];
    const other = build();
    other.load(middle);
    other.compile({ optimizer });
    await other.loadOptimizerState(saved);
    await steps(other, 5);
    expect(other.params()).toEqual(straight);
  });

  test.each(OPTIMIZERS)("%o: terms and clipping as on tfjs", async (optimizer) => {
    const { fused, tfjs, params, x, y, rows } = await pair(runtime, given, 16);
    const correction = params.map((value) => value / 10);
    const anchor = params.map((value) => value + 0.1);
    for (const limit of [{ kind: "norm", max: 0.3 } as const, { kind: "value", max: 0.05 } as const]) {
      for (const model of [fused, tfjs]) {
        model.load(params);
        model.compile({ optimizer, clip: limit });
        await model.step(x, y, rows, { proximal: { mu: 0.5, anchor }, correction });
        model.release();
      }
      expect(relativeDifference(fused.params(), tfjs.params())).toBeLessThan(1e-5);
    }
  });

  test("a saved state of another optimizer is refused", async () => {
    const model = build();
    model.compile({ optimizer: { kind: "adam", learningRate: 0.1 } });
    expect(() => model.loadOptimizerState(new Float32Array(7))).toThrow(
      /optimizer state holds 7 values, adam on this model has \d+/,
    );
  });
});

describe("clip", () => {
  test("bounds the length and keeps the direction", () => {
    const gradient = Float32Array.of(3, -4, 0);
    clip(gradient, { kind: "norm", max: 1 });
    expect([...gradient].map((value) => Math.fround(value))).toEqual([0.6, -0.8, 0].map(Math.fround));
    clip(gradient, { kind: "norm", max: 2 });
    expect(gradient[1]).toBeCloseTo(-0.8);
  });
});

describe("gradients", () => {
  test("lossGradient leaves params and moving statistics alone", async () => {
    const { fused, tfjs, params, x, y, rows } = await pair(runtime, given);
    for (const model of [fused, tfjs]) {
      await model.lossGradient(x, y, rows, new Float32Array(params.length));
      expect(model.params()).toEqual(params);
    }
  });

  test("a step moves the moving statistics as tfjs does", async () => {
    const { fused, tfjs, params, x, y, rows } = await pair(runtime, given);
    for (const model of [fused, tfjs]) {
      model.compile({ optimizer: { kind: "sgd", learningRate: 1e-9 } });
      await model.step(x, y, rows);
    }
    tfjs.release();
    const moving = (model: Model) => model.params().subarray(build().trainable);
    expect(relativeDifference(moving(fused), moving(tfjs))).toBeLessThan(1e-6);
    expect(moving(fused)).not.toEqual(params.subarray(build().trainable));
  });
});

describe("bad input", () => {
  const rows = (count: number, value = 0.5) => new Float32Array(count * 6).fill(value);

  test("NaN and Infinity in rows and labels are named by row and column", () => {
    const model = build();
    model.compile({ optimizer: OPTIMIZERS[0]! });
    const x = rows(4);
    x[2 * 6 + 3] = Number.NaN;
    expect(() => model.predict(x, 4)).toThrow("input row 2, column 3 is NaN");
    expect(() => model.step(x, new Float32Array(12), 4)).toThrow("input row 2, column 3 is NaN");
    const y = new Float32Array(12);
    y[11] = Number.NEGATIVE_INFINITY;
    expect(() => model.step(rows(4), y, 4)).toThrow("label row 3, column 2 is -Infinity");
  });

  test("a row far behind is named by its own number", () => {
    const x = rows(200);
    x[170 * 6] = Number.POSITIVE_INFINITY;
    expect(() => build().predict(x, 200)).toThrow("input row 170, column 0 is Infinity");
  });

  test("params that are no numbers are named", () => {
    const model = build();
    const params = model.params();
    params[6 * 9 + 2] = Number.NaN;
    expect(() => model.load(params)).toThrow('param "hidden/bias" [9] holds NaN at 2');
  });

  test.each([
    [0, 0],
    [3, 2],
    [-1, 1],
    [1.5, 1],
  ])("%f rows of %i given are refused", (count, there) => {
    expect(() => build().predict(rows(there), count)).toThrow(
      `input holds ${there * 6} values, expected ${count} rows of 6`,
    );
  });

  test("an index outside an embedding's table is refused", () => {
    const topology = sequential(
      [4],
      layer("Embedding", { input_dim: 5, output_dim: 3 }),
      layer("Flatten"),
      layer("Dense", { units: 1 }),
    );
    const model = build({ topology, inputs: 4, outputs: 1, loss: "meanSquaredError" });
    expect(() => model.predict(Float32Array.of(0, 4, 5, 1), 1)).toThrow(
      "row 0, column 2 is no index below 5",
    );
    expect(() => model.predict(Float32Array.of(0, -1, 3, 1), 1)).toThrow(
      "row 0, column 1 is no index below 5",
    );
  });

  test("a batch that needs more than 4 GiB is out of memory, said with both sizes", () => {
    const model = build();
    const many = 40_000_000;
    model.compile({ optimizer: OPTIMIZERS[0]! });
    // Only its length is looked at before the memory is made.
    const x = { length: many * 6 } as Float32Array;
    expect(() => model.step(x, { length: many * 3 } as Float32Array, many)).toThrow(
      /cannot have \d+ bytes .* 4294967296.*; layer "hidden" \(Dense\) gives \[9\] a row, for 40000000 rows/,
    );
  });

  test("a step that diverges gives a loss that is no number, and does not throw", () => {
    const model = build();
    model.load(model.params().fill(0.5));
    model.compile({ optimizer: { kind: "sgd", learningRate: 1e30 } });
    let loss = 0;
    for (let step = 0; step < 5; step++) loss = model.step(rows(4, 100), new Float32Array(12), 4);
    expect(Number.isFinite(loss)).toBe(false);
  });
});

describe("memory", () => {
  test("batches of any size give what one row gives", async () => {
    const { fused, x, rows } = await pair(runtime, given, 150);
    const all = fused.predict(x, rows);
    for (const row of [0, 63, 64, 149]) {
      const one = fused.predict(x.slice(row * 6, (row + 1) * 6), 1);
      expect(one).toEqual(all.slice(row * 3, (row + 1) * 3));
    }
  });

  test("growing for a larger batch keeps params and the optimizer's state", async () => {
    const { fused, params, x, y, rows } = await pair(runtime, given, 16);
    const small = build();
    for (const model of [fused, small]) {
      model.load(params);
      model.compile({ optimizer: { kind: "adam", learningRate: 0.01 } });
    }
    // Has room for all rows from the start.
    await fused.predict(x, rows);
    for (const count of [2, 16, 3]) {
      const part = [x.slice(0, count * 6), y.slice(0, count * 3), count] as const;
      expect(small.step(...part)).toEqual(await fused.step(...part));
    }
    expect(small.params()).toEqual(fused.params());
  });

  test("out takes the outputs", () => {
    const model = build();
    const out = new Float32Array(3);
    expect(model.predict(new Float32Array(6), 1, out)).toBe(out);
  });
});

describe("dropout", () => {
  const dropping: ParityCase = {
    topology: sequential(
      [50],
      layer("Dropout", { rate: 0.3 }),
      layer("Dense", { units: 1, use_bias: false, name: "sum" }),
    ),
    ...{ inputs: 50, outputs: 1, loss: "meanAbsoluteError" },
  };

  test("drops its share, keeps the mean, and drops nothing in prediction", () => {
    const model = build(dropping);
    const rows = 400;
    const x = new Float32Array(rows * 50).fill(1);
    // The gradient by each weight is the mean of its dropped inputs, up to sign.
    const gradient = new Float32Array(50);
    model.load(new Float32Array(50).fill(1));
    model.compile({ optimizer: OPTIMIZERS[0]!, seed: "a" });
    model.lossGradient(x, new Float32Array(rows).fill(1e3), rows, gradient);
    for (const value of gradient) {
      const kept = -value * 0.7;
      // 400 coins of 0.7: five standard deviations.
      expect(Math.abs(kept - 0.7)).toBeLessThan(5 * Math.sqrt((0.7 * 0.3) / rows));
    }
    expect(model.predict(x.slice(0, 50), 1)[0]).toBeCloseTo(50, 3);
  });

  test("masks follow from seed and step alone", () => {
    const losses = (seed: string) => {
      const model = build(dropping);
      model.load(new Float32Array(50).fill(1));
      model.compile({ optimizer: { kind: "sgd", learningRate: 0 }, seed });
      const x = new Float32Array(50).fill(1);
      return [0, 1, 2].map(() => model.step(x, new Float32Array(1), 1));
    };
    expect(losses("a")).toEqual(losses("a"));
    expect(losses("a")).not.toEqual(losses("b"));
    expect(new Set(losses("a")).size).toBe(3);
  });
});

test("the same job gives the same bits as on every machine before", () => {
  const model = build();
  const size = model.spec.count;
  model.load(Float32Array.from({ length: size }, (_, at) => Math.fround(((at * 37) % 101) / 101 - 0.4)));
  model.compile({ optimizer: { kind: "adam", learningRate: 0.01 } });
  const x = Float32Array.from({ length: 32 * 6 }, (_, at) => Math.fround(((at * 53) % 97) / 97 - 0.5));
  const y = Float32Array.from({ length: 32 * 3 }, (_, at) => Math.fround(((at * 29) % 89) / 89));
  for (let step = 0; step < 100; step++) model.step(x, y, 32);
  const hash = createHash("sha256").update(new Uint8Array(model.params().buffer)).digest("hex");
  expect(hash).toMatchInlineSnapshot(`"06d1b4f5aaa60c6c80d3200b37bad6444c2ab857aa858e92dcfae47e6eba99a0"`);
});
