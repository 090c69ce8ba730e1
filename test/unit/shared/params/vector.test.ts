import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createParamSpec } from "../../../../shared/params/spec.js";
import { accumulate, isAllFinite, norm, subtract } from "../../../../shared/params/vector.js";

const vector = fc.float32Array({ minLength: 1, maxLength: 50, noNaN: true, min: -1e6, max: 1e6 });

describe("params as a vector", () => {
  test("a minus a is zero, and its norm is 0", () => {
    fc.assert(
      fc.property(vector, (a) => {
        expect(norm(subtract(a, a))).toBe(0);
      }),
    );
  });

  test("accumulating sums in float64", () => {
    const sum = new Float64Array(1);
    // In float32 the small terms would vanish beside 2^24.
    accumulate(sum, 1, new Float32Array([2 ** 24]));
    for (let i = 0; i < 10; i++) accumulate(sum, 0.5, new Float32Array([1]));
    expect(sum[0]).toBe(2 ** 24 + 5);
  });

  test("one NaN or infinity anywhere is found", () => {
    fc.assert(
      fc.property(
        vector,
        fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY),
        fc.nat(),
        (a, bad, place) => {
          expect(isAllFinite(a)).toBe(true);
          a[place % a.length] = bad;
          expect(isAllFinite(a)).toBe(false);
        },
      ),
    );
  });
});

describe("a param spec", () => {
  test("lays tensors out without gaps; a scalar has size 1", () => {
    const spec = createParamSpec([
      { name: "kernel", shape: [3, 2] },
      { name: "scale", shape: [] },
      { name: "bias", shape: [2] },
    ]);
    expect(spec.entries.map(({ offset, size }) => [offset, size])).toEqual([
      [0, 6],
      [6, 1],
      [7, 2],
    ]);
    expect(spec.count).toBe(9);
  });

  test("another name or shape is another fingerprint", () => {
    const prints = [
      createParamSpec([{ name: "a", shape: [2, 3] }]),
      createParamSpec([{ name: "a", shape: [3, 2] }]),
      createParamSpec([{ name: "b", shape: [2, 3] }]),
    ].map(({ fingerprint }) => fingerprint);
    expect(new Set(prints).size).toBe(3);
  });
});
