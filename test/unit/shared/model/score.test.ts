import fc from "fast-check";
import { expect, test } from "vitest";
import { defineModel } from "../../../../shared/model/define.js";
import {
  emptyMetricSums,
  isFiniteSums,
  mergeMetricSums,
  metricValue,
  metricValues,
} from "../../../../shared/model/metric.js";
import { scoreRows } from "../../../../shared/model/score.js";
import type { OutputSpec } from "../../../../shared/task/task.js";

function definitionOf(output: OutputSpec) {
  return defineModel({ kind: "dense", hidden: [], activation: "linear", output }, 1);
}

const regression = definitionOf({ kind: "regression", loss: "meanSquaredError" });
const classifier = definitionOf({ kind: "classification", classes: 3 });
const binary = definitionOf({ kind: "binary" });
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

function scoreBinary(predictions: readonly number[], truth: readonly number[]) {
  return scoreRows(binary, Float32Array.from(predictions), Float32Array.from(truth), truth.length, 1);
}

test("a binary output is scored by its decisions at 0.5 and by its cross-entropy", () => {
  const sums = scoreBinary([0.75, 0.875, 0.25, 0.625, 0.125, 0.5], [1, 1, 1, 0, 0, 1]);
  const confusion = { truePositives: 2, falsePositives: 1, falseNegatives: 2 };
  expect(sums).toMatchObject({ rows: 6, correct: 3, confusion, squaredError: 0, absoluteError: 0 });
  const surprises = [0.75, 0.875, 0.25, 1 - 0.625, 1 - 0.125, 0.5].map((share) => -Math.log(share));
  // All of these have exact float32 values.
  expect(sums.loss).toBeCloseTo(
    surprises.reduce((sum, one) => sum + one, 0),
    12,
  );
  expect(metricValues(sums, { kind: "binary" })).toEqual({
    accuracy: 0.5,
    precision: 2 / 3,
    recall: 0.5,
    f1: 4 / 7,
    loss: sums.loss / 6,
  });
});

test("a probability that is certain and wrong costs as much as tfjs lets it", () => {
  expect(scoreBinary([0, 1], [1, 0]).loss).toBeCloseTo(-2 * Math.log(1e-7), 12);
  expect(scoreBinary([1, 0], [1, 0]).loss).toBeCloseTo(2e-7, 12);
});

test("precision, recall and F1 have no value where there is nothing to divide by", () => {
  const never = scoreBinary([0.1, 0.2], [0, 1]);
  expect(metricValue(never, "precision")).toBeUndefined();
  expect(metricValue(never, "recall")).toBe(0);
  expect(metricValue(never, "f1")).toBe(0);
  const nothing = scoreBinary([0.1], [0]);
  expect(metricValues(nothing, { kind: "binary" })).toEqual({ accuracy: 1, loss: nothing.loss });
});

const decisions = fc.array(fc.tuple(fc.float({ min: 0, max: 1, noNaN: true }), fc.nat(1)), {
  minLength: 1,
  maxLength: 40,
});

test("counts of decisions merge in any order to those of the whole, and cover every row", () => {
  fc.assert(
    fc.property(decisions, fc.nat(), (pairs, cut) => {
      const score = (part: readonly (readonly [number, number])[]) =>
        scoreBinary(
          part.map(([prediction]) => prediction),
          part.map(([, truth]) => truth),
        );
      const at = cut % (pairs.length + 1);
      const [a, b, whole] = [score(pairs.slice(0, at)), score(pairs.slice(at)), score(pairs)];
      const { falsePositives, falseNegatives } = whole.confusion!;
      expect(whole.correct + falsePositives + falseNegatives).toBe(whole.rows);
      for (const merged of [mergeMetricSums(a, b), mergeMetricSums(b, a)]) {
        expect({ ...merged, loss: 0 }).toEqual({ ...whole, loss: 0 });
        // Float64 sums of at most 40 terms in another order.
        expect(Math.abs(merged.loss - whole.loss)).toBeLessThanOrEqual(1e-12 * (1 + whole.loss));
      }
      expect(mergeMetricSums(emptyMetricSums, whole)).toEqual(whole);
    }),
  );
});

test("what is not binary counts no decisions, merged or not", () => {
  const sums = scoreRows(regression, Float32Array.of(1), Float32Array.of(0), 1, 1);
  expect(mergeMetricSums(sums, emptyMetricSums)).not.toHaveProperty("confusion");
  expect(metricValue(sums, "f1")).toBeUndefined();
});

test("a diverged model has no value, not a good one", () => {
  const nan = Float32Array.of(Number.NaN, Number.NaN, Number.NaN);
  const classes = scoreRows(classifier, nan, Float32Array.of(1, 0, 0), 1, 1);
  expect(classes.correct).toBe(0);
  expect(metricValue(classes, "loss")).toBeUndefined();
  const undecided = scoreBinary([Number.NaN, Number.NaN], [1, 0]);
  expect(undecided).toMatchObject({ correct: 0, confusion: { truePositives: 0 } });
  expect(isFiniteSums(undecided)).toBe(false);
  expect(metricValue(scoreRows(regression, nan, Float32Array.of(1, 0, 0), 3, 1), "rmse")).toBeUndefined();
});
