// Metrics as sums, so that those of devices merge into those of the fleet without seeing a row.

import type { MetricName, OutputSpec } from "../task/task.js";

/** Sums over scored rows, in the label's own unit. Fields that do not apply are 0. */
export interface MetricSums {
  readonly rows: number;
  readonly squaredError: number;
  readonly absoluteError: number;
  /** Sum of the per-row training loss (scaled units; cross-entropy for classification and binary). */
  readonly loss: number;
  /** Rows whose most likely class was right. */
  readonly correct: number;
  /** There exactly for a binary output; merging takes none for zeros. */
  readonly confusion?: Confusion | undefined;
}

/** How decisions fell; what is missing to all rows are true negatives. Wrong rows are the last two, and no others. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
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
  const confusion = mergeConfusion(a.confusion, b.confusion);
  return {
    rows: a.rows + b.rows,
    squaredError: a.squaredError + b.squaredError,
    absoluteError: a.absoluteError + b.absoluteError,
    loss: a.loss + b.loss,
    correct: a.correct + b.correct,
    ...(confusion && { confusion }),
  };
}

function mergeConfusion(a: Confusion | undefined, b: Confusion | undefined): Confusion | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    truePositives: a.truePositives + b.truePositives,
    falsePositives: a.falsePositives + b.falsePositives,
    falseNegatives: a.falseNegatives + b.falseNegatives,
  };
}

/** True when every sum is a number, as those of a model that has diverged are not. */
export function isFiniteSums({ confusion, ...sums }: MetricSums): boolean {
  return [...Object.values(sums), ...Object.values(confusion ?? {})].every(Number.isFinite);
}

/** Whether a binary output's probability says 1. */
export function isPositive(probability: number): boolean {
  return probability > 0.5;
}

/**
 * The named metric, or undefined when no row was scored, the model has diverged (not a finite number), or there is
 * nothing to divide by: no positive decision for precision, no label 1 for recall, neither for F1.
 */
export function metricValue(sums: MetricSums, metric: MetricName): number | undefined {
  if (sums.rows === 0) return undefined;
  const value = {
    rmse: Math.sqrt(sums.squaredError / sums.rows),
    mae: sums.absoluteError / sums.rows,
    accuracy: sums.correct / sums.rows,
    ...decisionMetrics(sums.confusion),
    loss: sums.loss / sums.rows,
  }[metric];
  return Number.isFinite(value) ? value : undefined;
}

// van Rijsbergen 1979, ch. 7: F1 is the harmonic mean of the other two.
function decisionMetrics(confusion: Confusion | undefined) {
  if (confusion === undefined) return { precision: Number.NaN, recall: Number.NaN, f1: Number.NaN };
  const { truePositives: hits, falsePositives, falseNegatives } = confusion;
  return {
    precision: hits / (hits + falsePositives),
    recall: hits / (hits + falseNegatives),
    f1: (2 * hits) / (2 * hits + falsePositives + falseNegatives),
  };
}

// What says something about a model of the kind; the first is what it is judged by unless the task says otherwise.
const metricsByOutput: Readonly<Record<OutputSpec["kind"], readonly [MetricName, ...MetricName[]]>> = {
  regression: ["rmse", "mae", "loss"],
  classification: ["accuracy", "loss"],
  binary: ["accuracy", "precision", "recall", "f1", "loss"],
  reconstruction: ["rmse", "mae", "loss"],
};

/** The metrics that say something about a model with such an output, the primary one first. */
export function metricsOf({ kind }: OutputSpec): readonly MetricName[] {
  return metricsByOutput[kind];
}

/** What a model with such an output is judged by, unless the task says otherwise. */
export function primaryMetric({ kind }: OutputSpec): MetricName {
  return metricsByOutput[kind][0];
}

/** All metrics of `output` that have a value, by name. */
export function metricValues(sums: MetricSums, output: OutputSpec): Partial<Record<MetricName, number>> {
  const named = metricsOf(output).map((metric) => [metric, metricValue(sums, metric)] as const);
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

/** How much `candidate` is better than `reference`, by the metric's own direction; negative when it is worse. */
export function gainOver(metric: MetricName, candidate: number, reference: number): number {
  return isError(metric) ? reference - candidate : candidate - reference;
}

/** True when `candidate` is better than `reference` by the metric's own direction. */
export function isBetter(metric: MetricName, candidate: number, reference: number): boolean {
  return isError(metric) ? candidate < reference : candidate > reference;
}

/** How much worse `candidate` is, as a fraction of `reference`; negative when it is better. */
export function regression(metric: MetricName, candidate: number, reference: number): number {
  return gainOver(metric, reference, candidate) / Math.max(Math.abs(reference), Number.EPSILON);
}

function isError(metric: MetricName): boolean {
  return metric === "rmse" || metric === "mae" || metric === "loss";
}
