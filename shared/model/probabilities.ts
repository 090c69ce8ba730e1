// A classifier's outputs are probabilities: checked once, when it is built.

import { HeadwaterError } from "../error.js";

/** Throws HeadwaterError `model-unsupported` unless the first row sums to 1. */
export function checkProbabilities(predictions: Float32Array, classes: number): void {
  const sum = predictions.subarray(0, classes).reduce((total, value) => total + value, 0);
  // 10,000 classes, each rounded to float32, stay within this.
  if (Math.abs(sum - 1) <= 1e-3) return;
  throw new HeadwaterError(
    "model-unsupported",
    `outputs sum to ${sum}, expected 1: a classifier's last activation is softmax`,
  );
}
