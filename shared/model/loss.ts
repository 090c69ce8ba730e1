// What is minimised: decided by what the output means.

import { unreachable } from "../assert.js";
import type { OutputSpec } from "../task/task.js";

/** Losses by their names in tfjs; Huber's is `tf.losses.huberLoss` with delta 1. All are means over rows and outputs. */
export type LossName =
  | "meanSquaredError"
  | "meanAbsoluteError"
  | "huber"
  | "binaryCrossentropy"
  | "categoricalCrossentropy"
  | "sparseCategoricalCrossentropy";

/** The loss of `output`. The engines know more: our own class labels are one-hot. */
export function lossOf(output: OutputSpec): LossName {
  switch (output.kind) {
    case "regression":
    case "reconstruction":
      return output.loss;
    case "binary":
      return "binaryCrossentropy";
    case "classification":
      return "categoricalCrossentropy";
    default:
      return unreachable(output);
  }
}
