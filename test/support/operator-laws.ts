// What laws of operators are tried with: rows of one number, and the plainest way to sum them up.

import fc from "fast-check";
import { expect } from "vitest";
import type { PipelineRow } from "../../shared/pipeline/types.js";
import { row } from "./pipeline.js";

/** Rows of one number, sometimes missing, in rising time. */
export const rows = fc
  .array(
    fc.record({
      stepMs: fc.integer({ min: 1, max: 9 }),
      x: fc.option(fc.integer({ min: -1_000, max: 1_000 }), { freq: 5 }),
    }),
    { minLength: 1, maxLength: 120 },
  )
  .map((drawn) => {
    let timeMs = 0;
    return drawn.map(({ stepMs, x }) => {
      timeMs += stepMs;
      return row(timeMs, x);
    });
  });

/** The values that are there. */
export const present = (some: readonly PipelineRow[]) =>
  some.map(({ values }) => values[0]).filter((x): x is number => typeof x === "number");

/** Mean, population standard deviation, least, largest, count. */
export function naive(values: readonly number[]) {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
  return [mean, Math.sqrt(variance), Math.min(...values), Math.max(...values), values.length];
}

/** The statistics that `naive` gives, by name. */
export const get = ["mean", "std", "min", "max", "count"];

// float32 outputs of values up to 1000: half a unit in the last place is 3e-5.
const FLOAT32_ERROR = 1e-4;

/** Equal up to an error. */
export function expectClose(
  actual: readonly unknown[],
  expected: readonly number[],
  error = FLOAT32_ERROR,
): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(Number(actual[i]) - value)).toBeLessThanOrEqual(error);
  });
}
