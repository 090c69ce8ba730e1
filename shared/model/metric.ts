// Metrics as sums, so that those of devices merge into those of the fleet without seeing a row.

import type { MetricName } from "../task/task.js";

/** Sums over scored rows, in the label's own unit. Fields that do not apply are 0. */
export interface MetricSums {
  readonly rows: number;
  readonly squaredError: number;
  readonly absoluteError: number;
  /** Sum of the per-row training loss (scaled units; cross-entropy for classification). */
  readonly loss: number;
  /** Rows whose most likely class was right. */
  readonly correct: number;
}

export const emptyMetricSums: MetricSums = {
  rows: 0,
  squaredError: 0,
  absoluteError: 0,
  loss: 0,
  correct: 0,
};

/** The sums of both: as if all rows had been scored together. */
export function mergeMetricSums(a: MetricSums, b: MetricSums): MetricSums {
  return {
    rows: a.rows + b.rows,
    squaredError: a.squaredError + b.squaredError,
    absoluteError: a.absoluteError + b.absoluteError,
    loss: a.loss + b.loss,
    correct: a.correct + b.correct,
  };
}

/** The named metric, or undefined when no row was scored or the model has diverged (not a finite number). */
export function metricValue(sums: MetricSums, metric: MetricName): number | undefined {
  if (sums.rows === 0) return undefined;
  const value = {
    rmse: Math.sqrt(sums.squaredError / sums.rows),
    mae: sums.absoluteError / sums.rows,
    accuracy: sums.correct / sums.rows,
    loss: sums.loss / sums.rows,
  }[metric];
  return Number.isFinite(value) ? value : undefined;
}

/** True when `candidate` is better than `reference` by the metric's own direction. */
export function isBetter(metric: MetricName, candidate: number, reference: number): boolean {
  return metric === "accuracy" ? candidate > reference : candidate < reference;
}

/** How much worse `candidate` is, as a fraction of `reference`; negative when it is better. */
export function regression(metric: MetricName, candidate: number, reference: number): number {
  const worse = metric === "accuracy" ? reference - candidate : candidate - reference;
  return worse / Math.max(Math.abs(reference), Number.EPSILON);
}
