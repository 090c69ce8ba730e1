import { describe, expect, test } from "vitest";
import type { PipelineRow } from "../../../../../shared/pipeline/types.js";
import { numbers, row, stepOf } from "../../../../support/pipeline.js";

const every10 = (more: object = {}) => ({ every: "10ms", ...more });

function show(rows: readonly PipelineRow[]) {
  return rows.map(({ timeMs, values, filled }) =>
    [timeMs, ...values.map((value, i) => (filled?.[i] ? `~${value}` : value))].join(" "),
  );
}

function resampled(written: object, rows: readonly PipelineRow[], fields = ["x"]) {
  const step = stepOf("resample", written, numbers(...fields));
  for (const each of rows) step.instance.push(each);
  step.instance.flush();
  return show(step.rows);
}

describe("resample", () => {
  test("a bin's row is named by its start and holds the last value, or the mean", () => {
    const rows = [row(11, 1), row(14, 3), row(20, 7)];
    expect(resampled(every10(), rows)).toEqual(["10 3", "20 7"]);
    expect(resampled(every10({ agg: "mean" }), rows)).toEqual(["10 2", "20 7"]);
  });

  test("a missing value hides no earlier one of the same bin", () => {
    expect(resampled(every10(), [row(11, 1, null), row(12, null, 2)], ["x", "y"])).toEqual(["10 1 2"]);
  });

  test("a bin comes out once the watermark has passed its end", () => {
    const { instance, rows } = stepOf("resample", every10(), numbers("x"));
    instance.push(row(11, 1));
    expect(instance.dueMs()).toBe(20);
    expect(instance.advance(19)).toBe(10);
    expect(rows).toEqual([]);
    expect(instance.advance(20)).toBe(20);
    expect(show(rows)).toEqual(["10 1"]);
    expect(instance.dueMs()).toBe(Number.POSITIVE_INFINITY);
  });

  test("without fill, empty bins give no row", () => {
    expect(resampled(every10(), [row(0, 1), row(40, 2), row(50, null)])).toEqual(["0 1", "40 2"]);
  });

  test("hold repeats a value up to its age, field by field, and marks it", () => {
    const rows = [row(0, 1, 5), row(10, 2, null), row(20, null, null), row(60, 9, null)];
    expect(resampled(every10({ fill: { hold: "20ms" } }), rows, ["x", "y"])).toEqual([
      "0 1 5",
      "10 2 ~5",
      "20 ~2 ~5",
      "30 ~2 ",
      "60 9 ",
    ]);
  });

  test("held rows follow the watermark and end with the age", () => {
    const { instance, rows } = stepOf("resample", every10({ fill: { hold: "20ms" } }), numbers("x"));
    instance.push(row(0, 1));
    instance.advance(20);
    expect(show(rows)).toEqual(["0 1", "10 ~1"]);
    instance.advance(1_000_000_000);
    expect(show(rows)).toEqual(["0 1", "10 ~1", "20 ~1"]);
  });

  test("linear draws through gaps up to the limit and leaves longer ones open", () => {
    const rows = [row(0, 0), row(30, 3), row(70, 9)];
    expect(resampled(every10({ fill: { linear: "30ms" } }), rows)).toEqual([
      "0 0",
      "10 ~1",
      "20 ~2",
      "30 3",
      "70 9",
    ]);
  });

  test("linear keeps a row back until its gap is closed or hopeless", () => {
    const { instance, rows } = stepOf("resample", every10({ fill: { linear: "30ms" } }), numbers("x", "y"));
    instance.push(row(0, 1, 1));
    instance.push(row(10, 2, null));
    expect(instance.advance(30)).toBe(10);
    expect(show(rows)).toEqual(["0 1 1"]);
    instance.push(row(30, 4, null));
    instance.advance(40);
    expect(show(rows)).toEqual(["0 1 1", "10 2 ", "20 ~3 ", "30 4 "]);
  });

  test("mean refuses vectors, and a fill may not span too many rows", () => {
    const vector = { fields: [{ name: "v", length: 3 }], spacingMs: undefined };
    expect(() => stepOf("resample", every10({ agg: "mean" }), vector)).toThrow('"v" is a vector of 3');
    expect(() => stepOf("resample", { every: "1s", fill: { hold: "7d" } }, numbers("x"))).toThrow(
      "100000 rows",
    );
  });
});
