import { describe, expect, test } from "vitest";
import { Moments } from "../../../../shared/pipeline/moments.js";

// A known signal and what NumPy says of it: fs = 100, two sines and a saw-tooth.
const signal = Array.from(
  { length: 256 },
  (_, i) =>
    Math.sin((2 * Math.PI * 5 * i) / 100) + 0.5 * Math.sin((2 * Math.PI * 20 * i) / 100) + 0.01 * (i % 7),
);

function momentsOf(values: readonly number[]): Moments {
  const moments = new Moments();
  for (const value of values) moments.add(value);
  return moments;
}

describe("moments", () => {
  test("mean and population standard deviation agree with NumPy", () => {
    const moments = momentsOf(signal);
    // 256 additions of values near 1 in another order: some 1e-15.
    expect(moments.mean).toBeCloseTo(0.04014404592709943, 13);
    expect(moments.std).toBeCloseTo(0.7924196217236193, 13);
    expect(Math.max(moments.max, -moments.min)).toBeCloseTo(1.486584774442731, 13);
  });

  test("merged halves agree with the whole", () => {
    const moments = momentsOf(signal.slice(0, 100));
    moments.merge(momentsOf(signal.slice(100)));
    moments.merge(new Moments());
    expect(moments.count).toBe(256);
    expect(moments.std).toBeCloseTo(0.7924196217236193, 13);
  });

  test("a large offset costs no precision: variance of 1e9 + {4, 7, 13, 16} is 22.5", () => {
    expect(momentsOf([4, 7, 13, 16].map((x) => 1e9 + x)).std ** 2).toBeCloseTo(22.5, 9);
  });

  test("one value has no spread, and none has neither", () => {
    expect(momentsOf([7]).std).toBe(0);
    expect(new Moments().std).toBe(0);
  });
});
