// Bringing columns to like size: fitted by the fleet from mergeable statistics, then frozen with the model.

import { assert, unreachable } from "../assert.js";
import { canonicalJson, sha256Hex } from "../task/canonical.js";
import type { ScaleSpec, Task } from "../task/task.js";
import { layOut } from "./layout.js";
import { columnMoments, type FleetStatistics } from "./statistics.js";
import type { FittedScaler, QuantileNeeds } from "./types.js";

/** True when the scaler must be fitted by the fleet before the first round. */
export function needsFit(task: Task): boolean {
  return isFitted(task.features.scale) || isFitted(labelScale(task));
}

/** What robust scaling asks of the devices' statistics. */
export function quantileNeeds(task: Task): QuantileNeeds {
  return { features: task.features.scale.kind === "robust", label: labelScale(task).kind === "robust" };
}

/**
 * The scaler of a task; `merged` (columns, then the label) is only needed, and then must hold examples, when
 * `needsFit`. Standard scaling divides by the population standard deviation, robust scaling by the distance of the quartiles. A column without spread is only shifted
 * (factor 1). Class indices, and 0 or 1, are never scaled.
 */
export function fitScaler(task: Task, merged: FleetStatistics | undefined): FittedScaler {
  assert(!needsFit(task) || (merged !== undefined && merged.count > 0), "a fitted scaler needs statistics");
  const width = layOut(task).columns.length;
  assert(
    merged === undefined || merged.mean.length === width + 1,
    `statistics of ${width} columns and the label`,
  );
  const columns = Array.from({ length: width }, (_, column) =>
    fitColumn(task.features.scale, merged, column),
  );
  return {
    offset: columns.map(({ offset }) => offset),
    factor: columns.map(({ factor }) => factor),
    label: fitColumn(labelScale(task), merged, width),
  };
}

/** Writes the scaled `features` into `out` from `offset` on. */
export function scaleInto(
  scaler: FittedScaler,
  features: Float32Array,
  out: Float32Array,
  offset: number,
): void {
  for (let i = 0; i < features.length; i++) {
    out[offset + i] = (features[i]! - scaler.offset[i]!) * scaler.factor[i]!;
  }
}

/** The label as the model learns it. */
export function scaleLabel({ label }: FittedScaler, value: number): number {
  return (value - label.offset) * label.factor;
}

/** The model's output in the label's own unit. */
export function unscaleLabel({ label }: FittedScaler, value: number): number {
  return value / label.factor + label.offset;
}

// Every version of a task brings the same scaler: comparing its numbers takes a hundredth of writing them down.
let last: { readonly scaler: FittedScaler; readonly hash: string } | undefined;

/** SHA-256 (hex) of the scaler: part of the model signature. Nobody writes to a scaler that was hashed. */
export function scalerHash(scaler: FittedScaler): string {
  if (last === undefined || !isSame(last.scaler, scaler)) {
    last = { scaler, hash: sha256Hex(canonicalJson(scaler)) };
  }
  return last.hash;
}

function isSame(a: FittedScaler, b: FittedScaler): boolean {
  return (
    Object.is(a.label.offset, b.label.offset) &&
    Object.is(a.label.factor, b.label.factor) &&
    hasSameNumbers(a.offset, b.offset) &&
    hasSameNumbers(a.factor, b.factor)
  );
}

function hasSameNumbers(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

function isFitted({ kind }: ScaleSpec): boolean {
  return kind === "standard" || kind === "minmax" || kind === "robust";
}

function labelScale({ label, model }: Task): ScaleSpec {
  const { kind } = model.output;
  return kind === "classification" || kind === "binary" ? { kind: "none" } : label.scale;
}

interface Affine {
  readonly offset: number;
  readonly factor: number;
}

function fitColumn(scale: ScaleSpec, merged: FleetStatistics | undefined, column: number): Affine {
  switch (scale.kind) {
    case "none":
      return { offset: 0, factor: 1 };
    case "constant":
      return { offset: scale.offset, factor: scale.factor };
    case "standard": {
      const { mean, std } = columnMoments(merged!, column);
      return { offset: mean, factor: inverse(std) };
    }
    case "minmax": {
      const { min, max } = columnMoments(merged!, column);
      const factor = inverse((max - min) / (scale.high - scale.low));
      return { offset: min - scale.low / factor, factor };
    }
    case "robust": {
      const quartiles = merged!.quartiles?.[column];
      assert(quartiles !== undefined, `robust scaling needs quantiles of column ${column}`);
      return { offset: quartiles.median, factor: inverse(quartiles.high - quartiles.low) };
    }
    default:
      return unreachable(scale);
  }
}

// Readings reach 1e18: beyond this factor a scaled outlier would not fit float32.
const MAX_FACTOR = 1e18;

// A spread too small to divide by is none.
function inverse(spread: number): number {
  const factor = 1 / spread;
  return factor <= MAX_FACTOR ? factor : 1;
}
