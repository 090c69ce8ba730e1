import { describe, expect, test } from "vitest";
import { activationKinds } from "../../../../../shared/model/engine/kernels.js";
import { exp, log } from "../../../../../shared/model/engine/twin/math.js";
import { createWasmMemory } from "../../../../../shared/model/engine/wasm.js";

// Bits of a float32 as numbers that count its neighbours.
const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);

function ulp(x: number): number {
  float[0] = Math.abs(Math.fround(x));
  const before = float[0]!;
  bits[0] = bits[0]! + 1;
  return float[0]! - before;
}

/** The largest error in units of the last place of the true value, over a grid of float32 from `from` to `to`. */
function worst(f: (x: number) => number, truth: (x: number) => number, from: number, to: number): number {
  let largest = 0;
  for (let i = 0; i <= 200_000; i++) {
    const x = Math.fround(from + ((to - from) * i) / 200_000);
    const expected = truth(x);
    largest = Math.max(largest, Math.abs(f(x) - expected) / ulp(expected));
  }
  return largest;
}

const { kernels, buffer } = createWasmMemory(4096);
const floats = new Float32Array(buffer);
function activation(kind: number): (x: number) => number {
  return (x) => {
    floats[512] = x;
    kernels.activate(kind, 2048, 2048, 1, 1);
    return floats[512]!;
  };
}

describe("the errors that assembly/math.ts states", () => {
  test("exp", () => {
    expect(worst(exp, Math.exp, -87, 88)).toBeLessThan(2);
  });
  test("log", () => {
    expect(worst(log, Math.log, 1e-7, 10)).toBeLessThan(2);
    expect(worst(log, Math.log, 10, 1e30)).toBeLessThan(2);
    expect([log(0), log(Number.POSITIVE_INFINITY), log(-1)]).toEqual([
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      Number.NaN,
    ]);
  });
  test("tanh", () => {
    expect(worst(activation(activationKinds.tanh), Math.tanh, -9, 9)).toBeLessThan(7);
    expect(worst(activation(activationKinds.tanh), Math.tanh, -1e-3, 1e-3)).toBeLessThan(4);
  });
  test("sigmoid", () => {
    expect(worst(activation(activationKinds.sigmoid), (x) => 1 / (1 + Math.exp(-x)), -80, 80)).toBeLessThan(
      4,
    );
  });
  test.each(Object.entries(activationKinds))("%s of NaN is NaN", (_name, kind) => {
    expect(activation(kind)(Number.NaN)).toBeNaN();
  });
  test("far out, nothing overflows", () => {
    const far = [-1e30, -100, 100, 1e30];
    expect(far.map(activation(activationKinds.tanh))).toEqual([-1, -1, 1, 1]);
    expect(far.map(activation(activationKinds.sigmoid)).every(Number.isFinite)).toBe(true);
  });
});

// Rows are computed four at a time: every place among the four, and every number of rows that is left.
describe.each([1, 2, 3, 4, 5, 7])("softmax over %d rows", (rows) => {
  const softmax = (logits: readonly number[]) => {
    floats.set(logits, 512);
    kernels.softmax(2048, 2048, rows, 3);
    return [...floats.subarray(512, 512 + 3 * rows)];
  };
  const repeat = (row: readonly number[]) => Array.from({ length: rows }, () => row).flat();

  test("is that of float64 but for rounding", () => {
    const row = [1, -2, 0.5].map(Math.exp);
    const sum = row.reduce((a, b) => a + b);
    const limit = 4 * 2 ** -24;
    for (const [at, value] of softmax(repeat([1, -2, 0.5])).entries())
      expect(Math.abs(value - row[at % 3]! / sum)).toBeLessThan(limit);
  });
  test("gives nothing to what is far below the largest, and so nothing subnormal", () => {
    expect(softmax(repeat([100, 39, 41]))).toEqual(repeat([1, 0, Math.fround(exp(-59))]));
  });
  test("of a row with NaN is NaN, and that of its neighbours is not", () => {
    const given = repeat([1, 1, 1]);
    given[1] = Number.NaN;
    const found = softmax(given);
    expect(found.slice(0, 3)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(found.slice(3)).toEqual(repeat([1, 1, 1].map((x) => Math.fround(x / 3))).slice(3));
  });
});
