import { describe, expect, test } from "vitest";
import { EXACT_VALUES, QuantileSketch } from "../../../../shared/pipeline/quantile.js";

function sketchOf(values: Iterable<number>): QuantileSketch {
  const sketch = new QuantileSketch();
  for (const x of values) sketch.add(x);
  return sketch;
}

describe("quantile sketch", () => {
  test("numpy.percentile of nine values", () => {
    const order = sketchOf([3, 1, 4, 1, 5, 9, 2, 6, 5]).read();
    // numpy.percentile(x, [0, 5, 25, 50, 75, 90, 95, 100]), the default method.
    const expected = [1, 1, 2, 4, 5, 6.6, 7.8, 9];
    [0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 1].forEach((p, i) => {
      // Linear interpolation rounds twice.
      expect(order.quantile(p)).toBeCloseTo(expected[i]!, 12);
    });
    expect(order.iqr).toBe(3);
    // Deviations from 4: 0 1 1 1 2 2 3 3 5.
    expect(order.mad).toBe(2);
  });

  test("one value is every quantile of itself", () => {
    const order = sketchOf([-7]).read();
    expect([order.quantile(0), order.quantile(0.5), order.quantile(1), order.iqr, order.mad]).toEqual([
      -7, -7, -7, 0, 0,
    ]);
  });

  test("as many values as are promised are exact", () => {
    const order = sketchOf(Array.from({ length: EXACT_VALUES }, (_, i) => (i * 769) % EXACT_VALUES)).read();
    expect(order.quantile(0.5)).toBe((EXACT_VALUES - 1) / 2);
    expect(order.quantile(1)).toBe(EXACT_VALUES - 1);
  });

  test("beyond, equal values stay what they are and extremes hardly move", () => {
    expect(sketchOf(new Array(10_000).fill(4)).read().quantile(0.9)).toBe(4);
    const order = sketchOf(Array.from({ length: 10_000 }, (_, i) => i)).read();
    // Three levels up at most: 3 / 2048 of 10,000 ranks.
    expect(Math.abs(order.quantile(0.5) - 4_999.5)).toBeLessThanOrEqual(15);
    expect(order.quantile(0)).toBeLessThanOrEqual(15);
    expect(order.mad).toBeGreaterThan(2_485);
    expect(order.mad).toBeLessThan(2_515);
  });
});
