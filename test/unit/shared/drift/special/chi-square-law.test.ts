// Tabulated values: Abramowitz and Stegun, table 26.8; gamma at whole and half numbers.

import { expect, test } from "vitest";
import {
  chiSquareQuantile,
  chiSquareTail,
  logGamma,
  upperGamma,
} from "../../../../../shared/drift/special/chi-square-law.js";

test.each([
  [1, 0.05, 3.84146],
  [1, 0.01, 6.6349],
  [2, 0.05, 5.99146],
  [9, 0.05, 16.919],
  [9, 0.01, 21.666],
  [9, 0.001, 27.8772],
  [10, 0.95, 3.9403],
  [30, 0.01, 50.8922],
  [100, 0.05, 124.3421],
])("with %d degrees of freedom, chance %d is exceeded at %d", (freedom, tail, value) => {
  // As many digits as the table has.
  expect(chiSquareQuantile(tail, freedom)).toBeCloseTo(value, 3);
  expect(chiSquareTail(value, freedom)).toBeCloseTo(tail, 5);
});

test("two degrees of freedom are an exponential law, far into the tail", () => {
  for (const x of [0.001, 1, 10, 100, 1_000])
    expect(chiSquareTail(x, 2) / Math.exp(-x / 2)).toBeCloseTo(1, 11);
});

test("quantile and tail are inverse", () => {
  for (const freedom of [1, 3, 9, 50, 500])
    for (const tail of [0.999, 0.5, 0.01, 1e-6, 1e-12])
      expect(chiSquareTail(chiSquareQuantile(tail, freedom), freedom) / tail).toBeCloseTo(1, 8);
});

test("the logarithm of the gamma function", () => {
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 13);
  expect(logGamma(0.25)).toBeCloseTo(1.2880225246980774, 12);
  expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 12);
  expect(upperGamma(1, 0)).toBeCloseTo(1, 12);
});
