// What a model says of many rows, as arrays, and the tensors in which it says it.

import type { ModelDefinition } from "../model/definition.js";
import { hasProbability } from "../model/output.js";

/** Row by row. `probabilities` holds rows x classes. */
export interface Scores {
  readonly value: Float64Array;
  readonly probability: Float32Array | undefined;
  readonly probabilities: Float32Array | undefined;
  /** 1: beyond the threshold. Undefined while there is none, or where there can be none. */
  anomaly: Uint8Array | undefined;
}

/** An output tensor: its elements per row, 1 unless it has a second dimension. */
export interface OutputTensor {
  readonly name: "value" | "class" | "probability" | "probabilities" | "anomaly";
  readonly datatype: "FP64" | "FP32" | "INT32" | "BOOL";
  readonly width: number | undefined;
}

/** Room for the scores of so many rows. */
export function emptyScores({ output, outputs }: ModelDefinition, rows: number): Scores {
  return {
    value: new Float64Array(rows),
    probability: hasProbability(output) ? new Float32Array(rows) : undefined,
    probabilities: output.kind === "classification" ? new Float32Array(rows * outputs) : undefined,
    anomaly: undefined,
  };
}

/** The tensors of a model's answer, in order; `anomaly` only where a threshold is known. */
export function outputTensors({ output, outputs }: ModelDefinition, hasAnomaly: boolean): OutputTensor[] {
  const tensors: OutputTensor[] = [{ name: "value", datatype: "FP64", width: undefined }];
  if (hasProbability(output)) {
    tensors.push({ name: "class", datatype: "INT32", width: undefined });
    tensors.push({ name: "probability", datatype: "FP32", width: undefined });
  }
  if (output.kind === "classification")
    tensors.push({ name: "probabilities", datatype: "FP32", width: outputs });
  if (hasAnomaly) tensors.push({ name: "anomaly", datatype: "BOOL", width: undefined });
  return tensors;
}

/** The elements of one output tensor, row-major. */
export function tensorValues(scores: Scores, name: OutputTensor["name"]): ArrayLike<number> {
  if (name === "class") return scores.value;
  return scores[name] ?? [];
}
