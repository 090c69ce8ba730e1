// Scores predictions into mergeable sums.

import { assert } from "../assert.js";
import type { RegressionLoss } from "../task/task.js";
import type { ModelDefinition } from "./definition.js";
import { emptyMetricSums, isPositive, type MetricSums } from "./metric.js";

/**
 * Sums over `rows` rows: errors in the label's own unit, loss as in training. `predictions` and `y` are
 * row-major and scaled, by `labelFactor` per unit of the label; for classification `y` is one-hot, for binary 0 or 1. Of a reconstruction each
 * row counts with the mean over its columns, in scaled units: columns have units of their own.
 * NaN in, NaN out.
 */
export function scoreRows(
  definition: ModelDefinition,
  predictions: Float32Array,
  y: Float32Array,
  rows: number,
  labelFactor: number,
): MetricSums {
  const { outputs, output } = definition;
  assert(predictions.length === rows * outputs, "one prediction per row and output");
  assert(y.length === rows * outputs, "one truth per row and output");
  const scored = { predictions, y, rows };
  if (output.kind === "classification") return scoreClasses(scored, outputs);
  if (output.kind === "binary") return scoreDecisions(scored);
  const sums = scoreValues(scored, labelFactor, output.loss);
  return output.kind === "regression" ? sums : perColumn(sums, outputs);
}

interface ScoredRows {
  readonly predictions: Float32Array;
  readonly y: Float32Array;
  readonly rows: number;
}

function scoreValues(scored: ScoredRows, labelFactor: number, lossName: RegressionLoss): MetricSums {
  const { predictions, y, rows } = scored;
  let squares = 0;
  let absolutes = 0;
  let hubers = 0;
  for (let i = 0; i < y.length; i++) {
    const error = predictions[i]! - y[i]!;
    squares += error * error;
    const size = Math.abs(error);
    absolutes += size;
    hubers += size > 1 ? size - 0.5 : 0.5 * error * error;
  }
  return {
    ...emptyMetricSums,
    rows,
    squaredError: squares / labelFactor ** 2,
    absoluteError: absolutes / Math.abs(labelFactor),
    loss: { meanSquaredError: squares, meanAbsoluteError: absolutes, huber: hubers }[lossName],
  };
}

function perColumn(sums: MetricSums, columns: number): MetricSums {
  return {
    ...sums,
    squaredError: sums.squaredError / columns,
    absoluteError: sums.absoluteError / columns,
    loss: sums.loss / columns,
  };
}

function scoreClasses({ predictions, y, rows }: ScoredRows, classes: number): MetricSums {
  let correct = 0;
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * classes;
    const truth = largest(y, start, classes);
    if (largest(predictions, start, classes) === truth) correct++;
    loss += crossEntropy(predictions, start, classes, truth);
  }
  return { ...emptyMetricSums, rows, loss, correct };
}

// NaN decides nothing, and so is wrong either way.
function scoreDecisions({ predictions, y, rows }: ScoredRows): MetricSums {
  let [truePositives, falsePositives, falseNegatives, loss] = [0, 0, 0, 0];
  for (let row = 0; row < rows; row++) {
    const probability = predictions[row]!;
    const isOne = y[row] === 1;
    const isWrong = Number.isNaN(probability) || isPositive(probability) !== isOne;
    if (isOne && !isWrong) truePositives++;
    if (isOne && isWrong) falseNegatives++;
    if (!isOne && isWrong) falsePositives++;
    loss += surprise(isOne ? probability : 1 - probability);
  }
  const confusion = { truePositives, falsePositives, falseNegatives };
  return { ...emptyMetricSums, rows, loss, correct: rows - falsePositives - falseNegatives, confusion };
}

// The first of the largest; -1 when nothing compares, as with NaN: then no class was right.
function largest(values: Float32Array, start: number, count: number): number {
  let best = -1;
  let bestValue = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const value = values[start + i]!;
    if (value > bestValue) {
      best = i;
      bestValue = value;
    }
  }
  return best;
}

/** As tfjs clips probabilities before the logarithm. */
const EPSILON = 1e-7;

function crossEntropy(predictions: Float32Array, start: number, classes: number, truth: number): number {
  let sum = 0;
  for (let i = 0; i < classes; i++) sum += predictions[start + i]!;
  return surprise(predictions[start + truth]! / sum);
}

// Of what had this probability and came true.
function surprise(probability: number): number {
  return -Math.log(Math.min(Math.max(probability, EPSILON), 1 - EPSILON));
}
