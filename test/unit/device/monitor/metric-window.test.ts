import { expect, test } from "vitest";
import { MetricWindow } from "../../../../device/monitor/metric-window.js";
import { emptyMetricSums, metricValue } from "../../../../shared/model/metric.js";

const row = (squaredError: number) => ({ ...emptyMetricSums, rows: 1, squaredError });

test("holds the newest rows only, and no trace of those that have left", () => {
  const window = new MetricWindow(3);
  for (const size of [1e300, 1, 2, 3]) window.add(0, row(size));
  // Taken out of a running sum, the first would have taken the others with it.
  expect(window.sums()).toMatchObject({ rows: 3, squaredError: 6 });
});

test("knows precision and recall of decisions, and none of other rows", () => {
  const window = new MetricWindow(10);
  const decided = (truePositives: number, falsePositives: number, falseNegatives: number) => ({
    ...{ ...emptyMetricSums, rows: 1, correct: truePositives },
    confusion: { truePositives, falsePositives, falseNegatives },
  });
  window.add(0, decided(1, 0, 0));
  window.add(0, decided(0, 1, 0));
  window.add(0, { ...decided(0, 0, 0), correct: 1 });
  expect(metricValue(window.sums(), "precision")).toBe(0.5);
  expect(metricValue(window.sums(), "recall")).toBe(1);
  expect(window.sums().correct).toBe(2);
  const plain = new MetricWindow(10);
  plain.add(0, row(1));
  expect(plain.sums().confusion).toBeUndefined();
});

test("tells the event time of rows, and of the oldest where one has left", () => {
  const window = new MetricWindow(3);
  expect(window.timeOf(1)).toBeUndefined();
  for (const timeMs of [10, 20, 30, 40]) window.add(timeMs, row(0));
  expect([1, 3, 99].map((back) => window.timeOf(back))).toEqual([40, 20, 20]);
});
