// What a model says on rows of features, whatever they hold.

import { isAllFinite } from "../params/vector.js";
import { scaleInto } from "../pipeline/scaler.js";
import type { FittedScaler } from "../pipeline/types.js";
import { type Answer, readAnswer } from "./answer.js";
import type { ModelDefinition } from "./definition.js";
import type { Model } from "./runtime.js";

/** Rows as a model was given them, and what it gave. */
export interface Asked {
  /** Scaled rows: rows x inputs. */
  readonly x: Float32Array;
  /** rows x outputs; NaN for a broken row. The caller's own. */
  readonly outputs: Float32Array;
  /** Rows that are beyond any number once scaled. No engine takes such a row, and it is not the version's fault. */
  readonly broken: ReadonlySet<number>;
}

/** Asks `model`, whose params are loaded and belong to `scaler`. Throws what the engine throws. */
export function askRows(
  model: Pick<Model, "definition" | "predict">,
  scaler: FittedScaler,
  rows: readonly Float32Array[],
): Asked {
  const { inputs, outputs: width } = model.definition;
  const x = new Float32Array(rows.length * inputs);
  rows.forEach((features, row) => {
    scaleInto(scaler, features, x, row * inputs);
  });
  const broken = new Set(isAllFinite(x) ? [] : brokenRows(x, inputs));
  for (const row of broken) x.fill(0, row * inputs, (row + 1) * inputs);
  const outputs = model.predict(x, rows.length, new Float32Array(rows.length * width));
  for (const row of broken) outputs.fill(Number.NaN, row * width, (row + 1) * width);
  return { x, outputs, broken };
}

/** The answers, a row each. */
export function readAnswers(
  { inputs, outputs: width, output }: ModelDefinition,
  scaler: FittedScaler,
  { x, outputs }: Asked,
): readonly Answer[] {
  return Array.from({ length: x.length / inputs }, (_, row) => {
    const given = outputs.subarray(row * width, (row + 1) * width);
    return readAnswer(output, scaler, given, x.subarray(row * inputs, (row + 1) * inputs));
  });
}

function brokenRows(x: Float32Array, inputs: number): readonly number[] {
  const rows = Array.from({ length: x.length / inputs }, (_, row) => row);
  return rows.filter((row) => !isAllFinite(x.subarray(row * inputs, (row + 1) * inputs)));
}
