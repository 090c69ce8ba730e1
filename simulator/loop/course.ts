// How right the predictions of a whole fleet were, over event time: as they were made, by whatever version a device served.

import {
  emptyMetricSums,
  isFiniteSums,
  type MetricSums,
  mergeMetricSums,
  metricValue,
} from "../../shared/model/metric.js";
import type { MetricName, OutputSpec } from "../../shared/task/task.js";

/** Rows of one stretch of event time are counted together: nothing is told to the minute. */
const STRETCH_MS = 600_000;

/** A stretch of event time: from `fromMs` on, before `untilMs`. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A point of the curve. */
export interface CoursePoint {
  readonly fromMs: number;
  /** Null where no row was scored. */
  readonly value: number | null;
  readonly rows: number;
}

/** Sums by event time (Dawid 1984: each prediction is judged by what came after it). */
export class Course {
  readonly #metric: MetricName;
  readonly #kind: OutputSpec["kind"];
  readonly #sums = new Map<number, MetricSums>();

  constructor(metric: MetricName, { kind }: OutputSpec) {
    this.#metric = metric;
    this.#kind = kind;
  }

  /** A prediction, in the label's own unit, and the label. */
  add(timeMs: number, value: number, label: number): void {
    const sums = sumsOf(value, label, this.#kind);
    if (!isFiniteSums(sums)) return;
    const stretch = Math.floor(timeMs / STRETCH_MS);
    this.#sums.set(stretch, mergeMetricSums(this.#sums.get(stretch) ?? emptyMetricSums, sums));
  }

  /** The metric over a span; null where no row was scored. */
  over(span: Span): number | null {
    return metricValue(this.#within(span), this.#metric) ?? null;
  }

  rowsIn(span: Span): number {
    return this.#within(span).rows;
  }

  /** The curve, a point for each `stepMs` from the first row on. */
  curve(stepMs: number): readonly CoursePoint[] {
    if (this.#sums.size === 0) return [];
    const times = [...this.#sums.keys()].map((stretch) => stretch * STRETCH_MS);
    const points: CoursePoint[] = [];
    const lastMs = Math.max(...times);
    for (let fromMs = Math.floor(Math.min(...times) / stepMs) * stepMs; fromMs <= lastMs; fromMs += stepMs) {
      const span = { fromMs, untilMs: fromMs + stepMs };
      points.push({ fromMs, value: this.over(span), rows: this.rowsIn(span) });
    }
    return points;
  }

  // In order of time, so that sums of floats are the same in every run.
  #within({ fromMs, untilMs }: Span): MetricSums {
    return [...this.#sums]
      .filter(([stretch]) => stretch * STRETCH_MS >= fromMs && stretch * STRETCH_MS < untilMs)
      .sort(([a], [b]) => a - b)
      .map(([, sums]) => sums)
      .reduce(mergeMetricSums, emptyMetricSums);
  }
}

function sumsOf(value: number, label: number, kind: OutputSpec["kind"]): MetricSums {
  const error = value - label;
  const isDecision = kind === "binary" || kind === "classification";
  return {
    ...{ rows: 1, squaredError: error * error, absoluteError: Math.abs(error), loss: 0 },
    correct: isDecision && value === label ? 1 : 0,
    ...(kind === "binary" && {
      confusion: {
        truePositives: value === 1 && label === 1 ? 1 : 0,
        falsePositives: value === 1 && label === 0 ? 1 : 0,
        falseNegatives: value === 0 && label === 1 ? 1 : 0,
      },
    }),
  };
}
