import { describe, expect, test } from "vitest";
import { SUMMARY_BYTES } from "../../../../shared/pipeline/quantile-summary.js";
import {
  fitScaler,
  needsFit,
  quantileNeeds,
  scaleInto,
  scaleLabel,
  scalerHash,
  unscaleLabel,
} from "../../../../shared/pipeline/scaler.js";
import { mergeStatistics, StatisticsPool, statisticsOf } from "../../../../shared/pipeline/statistics.js";
import { taskOf } from "../../../support/pipeline.js";

function taskScaled(features: unknown, label: unknown = "none", model: object = {}) {
  return taskOf({
    features: { from: "air", list: [{ copy: ["x", "y"] }], scale: features },
    label: { field: "z", scale: label },
    ...model,
  });
}

function statistics(...rows: readonly (readonly [number, number, number])[]) {
  const accumulator = statisticsOf(2);
  for (const [x, y, label] of rows) accumulator.add(new Float32Array([x, y]), label);
  return accumulator.finish();
}

function scaled(scaler: ReturnType<typeof fitScaler>, ...features: readonly number[]) {
  const out = new Float32Array(features.length + 1);
  scaleInto(scaler, new Float32Array(features), out, 1);
  return [...out.subarray(1)];
}

describe("scaler", () => {
  test("standard scaling gives mean 0 and population standard deviation 1", () => {
    const scaler = fitScaler(taskScaled("standard", "standard"), statistics([0, 1, 10], [4, 3, 30]));
    expect(scaler).toEqual({ offset: [2, 2], factor: [0.5, 1], label: { offset: 20, factor: 0.1 } });
    expect(scaled(scaler, 0, 3)).toEqual([-1, 1]);
    expect(scaleLabel(scaler, 30)).toBe(1);
    expect(unscaleLabel(scaler, -1)).toBe(10);
  });

  test("a column without spread is only shifted", () => {
    const merged = statistics([7, 0, 5], [7, 1, 5]);
    const standard = fitScaler(taskScaled("standard", "standard"), merged);
    expect(scaled(standard, 7, 0.5)).toEqual([0, 0]);
    expect(standard.label).toEqual({ offset: 5, factor: 1 });
    const minmax = fitScaler(taskScaled({ minmax: [-1, 1] }), merged);
    expect(scaled(minmax, 7, 0.5)).toEqual([-1, 0]);
  });

  test("min-max scaling maps the extremes to the ends", () => {
    const scaler = fitScaler(taskScaled({ minmax: [-1, 1] }), statistics([0, 5, 0], [10, 9, 0]));
    expect(scaled(scaler, 0, 9)).toEqual([-1, 1]);
    expect(scaled(scaler, 5, 5)).toEqual([0, -1]);
  });

  test("robust scaling gives median 0 and quartiles a distance of 1, whatever an outlier does", async () => {
    const task = taskScaled("robust", { robust: {} });
    expect(needsFit(task)).toBe(true);
    // Two devices, 1 to 4 and 5 to 9, and an outlier.
    const pool = new StatisticsPool(2);
    for (const part of [
      [1, 2, 3, 4],
      [5, 6, 7, 8, 1e6],
    ]) {
      const accumulator = statisticsOf(2, quantileNeeds(task));
      for (const x of part) accumulator.add(new Float32Array([x, 7]), 10 * x);
      pool.add(accumulator.finish());
    }
    // Quartiles 3, 5 and 7 of nine values; the second column has no spread.
    expect(fitScaler(task, await pool.finish(async () => undefined))).toEqual({
      offset: [5, 7],
      factor: [0.25, 1],
      label: { offset: 50, factor: 1 / 40 },
    });
  });

  test("quantiles are gathered only of what is scaled robustly", () => {
    const lengths = (features: unknown, label: unknown) =>
      statisticsOf(2, quantileNeeds(taskScaled(features, label)))
        .finish()
        .quantiles?.map(({ length }) => length);
    expect(lengths("standard", "standard")).toBeUndefined();
    expect(lengths("robust", "none")).toEqual([SUMMARY_BYTES, SUMMARY_BYTES, 0]);
    expect(lengths("minmax", "robust")).toEqual([0, 0, SUMMARY_BYTES]);
  });

  test("constant and no scaling need no statistics", () => {
    const constant = taskScaled({ constant: { offset: 1, divide: 255 } });
    expect(needsFit(constant)).toBe(false);
    expect(scaled(fitScaler(constant, undefined), 256, 1)).toEqual([1, 0]);
    const none = taskScaled("none");
    expect(needsFit(none)).toBe(false);
    expect(scaled(fitScaler(none, undefined), 3, 4)).toEqual([3, 4]);
  });

  test.each([{ classification: 3 }, "binary"])("labels of %o are never scaled", (output) => {
    const task = taskScaled("none", "standard", { model: { dense: [2], output } });
    expect(needsFit(task)).toBe(false);
    expect(fitScaler(task, undefined).label).toEqual({ offset: 0, factor: 1 });
  });

  test("fitting without examples is a bug", () => {
    expect(() => fitScaler(taskScaled("standard"), statistics())).toThrow("needs statistics");
  });

  test("statistics of no examples are finite and change nothing when merged", () => {
    const some = statistics([1, 2, 3], [4, 5, 6]);
    expect(mergeStatistics(some, statistics())).toEqual(some);
    expect(mergeStatistics(statistics(), some)).toEqual(some);
    expect(JSON.parse(JSON.stringify(statistics()))).toEqual(statistics());
  });

  test("its hash tells scalers apart", () => {
    const a = fitScaler(taskScaled("standard"), statistics([0, 1, 0], [4, 3, 0]));
    const b = fitScaler(taskScaled("standard"), statistics([0, 1, 0], [4, 3.5, 0]));
    expect(scalerHash(a)).toMatch(/^[0-9a-f]{64}$/);
    expect(scalerHash(a)).not.toBe(scalerHash(b));
  });
});
