// One answer against the label that has come: the sums a report carries, of a single row.

import type { ModelDefinition } from "../../shared/model/definition.js";
import { isFiniteSums, type MetricSums } from "../../shared/model/metric.js";
import { scoreRows } from "../../shared/model/score.js";
import { scaleInto } from "../../shared/pipeline/scaler.js";
import type { Example, FittedScaler } from "../../shared/pipeline/types.js";
import { writeLabel } from "../examples/batch.js";

/** Sums of the row; undefined when they are no finite numbers. `output`: as the model gave it, scaled. */
export function scoreRow(
  definition: ModelDefinition,
  scaler: FittedScaler,
  output: Float32Array,
  { features, label }: Pick<Example, "features" | "label">,
): MetricSums | undefined {
  const truth = new Float32Array(definition.outputs);
  writeLabel(definition, scaler, { label, row: rowOf(definition, scaler, features) }, truth);
  const sums = scoreRows(definition, output, truth, 1, scaler.label.factor);
  return isFiniteSums(sums) ? sums : undefined;
}

/**
 * How wrong the row was: 1 for a miss and 0 for a hit, or the absolute error in scaled units, which are those of one
 * standard deviation where the task scales so.
 */
export function errorOf(
  { output }: ModelDefinition,
  { label }: FittedScaler,
  { correct, absoluteError }: MetricSums,
): number {
  if (output.kind === "classification" || output.kind === "binary") return 1 - correct;
  return output.kind === "regression" ? absoluteError * Math.abs(label.factor) : absoluteError;
}

const NO_ROW = new Float32Array(0);

function rowOf(
  { output, inputs }: ModelDefinition,
  scaler: FittedScaler,
  features: Float32Array,
): Float32Array {
  if (output.kind !== "reconstruction") return NO_ROW;
  const row = new Float32Array(inputs);
  scaleInto(scaler, features, row, 0);
  return row;
}
