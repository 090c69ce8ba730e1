import fc from "fast-check";
import { expect, test } from "vitest";
import { defineModel } from "../../../../shared/model/define.js";
import { mergeMetricSums, metricValue } from "../../../../shared/model/metric.js";
import { scoreRows } from "../../../../shared/model/score.js";
import type { OutputSpec } from "../../../../shared/task/task.js";

function definitionOf(output: OutputSpec) {
  return defineModel({ kind: "dense", hidden: [], activation: "linear", output }, 1);
}

const regression = definitionOf({ kind: "regression", loss: "meanSquaredError" });
const classifier = definitionOf({ kind: "classification", classes: 3 });
const value = fc.float({ min: -100, max: 100, noNaN: true });
const rows = fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 40 });

test("sums of parts merge to the sums of the whole", () => {
  fc.assert(
    fc.property(rows, fc.nat(), (pairs, cut) => {
      const at = cut % pairs.length;
      const score = (part: readonly (readonly [number, number])[]) =>
        scoreRows(
          regression,
          Float32Array.from(part, ([prediction]) => prediction),
          Float32Array.from(part, ([, truth]) => truth),
          part.length,
          0.5,
        );
      const merged = mergeMetricSums(score(pairs.slice(0, at)), score(pairs.slice(at)));
      const whole = score(pairs);
      expect(merged.rows).toBe(whole.rows);
      // Float64 sums of at most 40 terms in another order.
      for (const key of ["squaredError", "absoluteError", "loss"] as const)
        expect(Math.abs(merged[key] - whole[key])).toBeLessThanOrEqual(1e-12 * (1 + whole[key]));
    }),
  );
});

test("errors are in the label's unit, the loss in scaled units", () => {
  const sums = scoreRows(regression, Float32Array.of(1, 2), Float32Array.of(0, 4), 2, 0.5);
  expect(sums).toEqual({ rows: 2, squaredError: 20, absoluteError: 6, loss: 5, correct: 0 });
});

test("a class is right when it is the most likely one", () => {
  const predictions = Float32Array.of(0.2, 0.5, 0.3, 0.6, 0.3, 0.1);
  const truth = Float32Array.of(0, 1, 0, 0, 1, 0);
  const sums = scoreRows(classifier, predictions, truth, 2, 1);
  expect(sums).toMatchObject({ rows: 2, correct: 1, squaredError: 0, absoluteError: 0 });
  // Probabilities are float32.
  expect(sums.loss).toBeCloseTo(-Math.log(0.5) - Math.log(0.3), 6);
});

test("a diverged model has no value, not a good one", () => {
  const nan = Float32Array.of(Number.NaN, Number.NaN, Number.NaN);
  const classes = scoreRows(classifier, nan, Float32Array.of(1, 0, 0), 1, 1);
  expect(classes.correct).toBe(0);
  expect(metricValue(classes, "loss")).toBeUndefined();
  expect(metricValue(scoreRows(regression, nan, Float32Array.of(1, 0, 0), 3, 1), "rmse")).toBeUndefined();
});
