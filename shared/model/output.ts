// The last layer of a model that a task describes: decided by what the output means.

import { unreachable } from "../assert.js";
import type { OutputSpec } from "../task/task.js";

/** Values of one output row, for rows of `inputs` columns. */
export function outputWidth(output: OutputSpec, inputs: number): number {
  switch (output.kind) {
    case "regression":
    case "binary":
      return 1;
    case "classification":
      return output.classes;
    case "reconstruction":
      return inputs;
    default:
      return unreachable(output);
  }
}

/** The activation of the last layer, as tfjs names it. */
export function outputActivation({ kind }: OutputSpec): "linear" | "sigmoid" | "softmax" {
  switch (kind) {
    case "regression":
    case "reconstruction":
      return "linear";
    case "binary":
      return "sigmoid";
    case "classification":
      return "softmax";
    default:
      return unreachable(kind);
  }
}

/** True when a prediction comes with the probability of what it says. */
export function hasProbability({ kind }: OutputSpec): boolean {
  switch (kind) {
    case "binary":
    case "classification":
      return true;
    case "regression":
    case "reconstruction":
      return false;
    default:
      return unreachable(kind);
  }
}
