// A device's report on which all is well.

import { emptyMetricSums, type MetricSums } from "../../shared/model/metric.js";
import type { DeviceReport } from "../../shared/wire/report.js";

/** Sums of `rows` rows, each off by `error`. */
export function sumsOf(rows: number, error: number): MetricSums {
  const squares = rows * error ** 2;
  return { rows, squaredError: squares, absoluteError: rows * Math.abs(error), loss: squares, correct: 0 };
}

/** One version on a device. */
export function sideOf(
  version: number,
  labelled: MetricSums = emptyMetricSums,
  changes: Partial<NonNullable<DeviceReport["serving"]>> = {},
): NonNullable<DeviceReport["serving"]> {
  return { version, rows: 100, invalid: 0, totalUs: 10_000, labelled, ...changes };
}

/** A report, with `changes`. */
export function reportOf(changes: Partial<DeviceReport> = {}): DeviceReport {
  return {
    ...{ v: 1, sequence: 1, ageMs: 60_000, serving: sideOf(1), beside: null, failed: [] },
    paired: { rows: 0, sum: 0, squares: 0 },
    window: emptyMetricSums,
    data: { tested: 0, drifting: 0, columns: [] },
    concept: { status: "ok", detections: 0 },
    drift: { isDrifting: false, sinceMs: null },
    quality: { missing: 0, refused: 0 },
    resources: { rssBytes: 1e8, cpu: 0.1, unlabelled: 0, examples: 100 },
    ...changes,
  };
}
