// What a model says on rows, and how long it took.

import type { Clock } from "../../shared/clock.js";
import type { Model } from "../../shared/model/runtime.js";
import { isAllFinite } from "../../shared/params/vector.js";
import { scaleInto } from "../../shared/pipeline/scaler.js";
import type { FeatureRow } from "../../shared/pipeline/types.js";
import type { BaseModel } from "../model/check.js";

/** Answers to some rows. */
export interface Answers {
  readonly rows: number;
  /** Scaled rows: rows x inputs. */
  readonly x: Float32Array;
  /** rows x outputs; NaN for a broken row. The caller's own. */
  readonly outputs: Float32Array;
  /** Rows that are beyond any number once scaled. No engine takes such a row, and it is not the version's fault. */
  readonly broken: ReadonlySet<number>;
  readonly tookUs: number;
}

/** Asks `version`, whose params `model` has loaded. Throws what the engine throws. */
export function askModel(
  model: Model,
  { scaler }: BaseModel,
  rows: readonly FeatureRow[],
  clock: Clock,
): Answers {
  const { inputs, outputs: width } = model.definition;
  const startMs = clock.elapsed();
  const x = new Float32Array(rows.length * inputs);
  rows.forEach(({ features }, row) => {
    scaleInto(scaler, features, x, row * inputs);
  });
  const broken = new Set(isAllFinite(x) ? [] : brokenRows(x, inputs));
  for (const row of broken) x.fill(0, row * inputs, (row + 1) * inputs);
  const outputs = model.predict(x, rows.length, new Float32Array(rows.length * width));
  for (const row of broken) outputs.fill(Number.NaN, row * width, (row + 1) * width);
  const tookUs = Math.max(0, 1000 * (clock.elapsed() - startMs));
  return { rows: rows.length, x, outputs, broken, tookUs };
}

function brokenRows(x: Float32Array, inputs: number): readonly number[] {
  const rows = Array.from({ length: x.length / inputs }, (_, row) => row);
  return rows.filter((row) => !isAllFinite(x.subarray(row * inputs, (row + 1) * inputs)));
}
