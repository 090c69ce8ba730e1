// What a model's output row says, in the label's own words.

import { unscaleLabel } from "../pipeline/scaler.js";
import type { FittedScaler } from "../pipeline/types.js";
import type { OutputSpec } from "../task/task.js";
import { isPositive } from "./metric.js";
import { reconstructionError } from "./reconstruction-error.js";

/** One row's answer. */
export interface Answer {
  /** In the label's own unit; for classification the most likely class, for binary 0 or 1. */
  readonly value: number;
  /** For classification the probability of that class, for binary that of 1 whatever the value; else null. */
  readonly probability: number | null;
}

/** Reads an output row; `row` is the scaled input row it was made from. */
export function readAnswer(
  { kind }: Pick<OutputSpec, "kind">,
  scaler: FittedScaler,
  output: Float32Array,
  row: Float32Array,
): Answer {
  if (kind === "regression") return { value: unscaleLabel(scaler, output[0]!), probability: null };
  if (kind === "reconstruction") return { value: reconstructionError(output, row), probability: null };
  if (kind === "binary") return { value: isPositive(output[0]!) ? 1 : 0, probability: output[0]! };
  const probability = output.reduce((largest, share) => Math.max(largest, share));
  return { value: output.indexOf(probability), probability };
}

/** Whether all of it is numbers that can be shown. */
export function isFiniteAnswer({ value, probability }: Answer): boolean {
  return Number.isFinite(value) && Number.isFinite(probability ?? 0);
}
