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

describe("resample's aggregates", () => {
  const rows = [row(10, 5), row(12, null), row(13, 1), row(19, 3), row(30, 7)];

  test.each([
    ["first", ["10 5", "30 7"]],
    ["sum", ["10 9", "30 7"]],
    ["min", ["10 1", "30 7"]],
    ["max", ["10 5", "30 7"]],
    ["count", ["10 3", "30 1"]],
  ])("%s", (agg, expected) => {
    expect(resampled(every10({ agg }), rows)).toEqual(expected);
  });

  test("a count of rows without any value is 0", () => {
    expect(resampled(every10({ agg: "count" }), [row(0, null), row(10, 1)])).toEqual(["0 0", "10 1"]);
  });

  test("first and last take vectors, others do not", () => {
    const vector = { fields: [{ name: "v", length: 2 }], spacingMs: undefined };
    const first = stepOf("resample", every10({ agg: "first" }), vector);
    first.instance.push(row(0, Float32Array.of(1, 2)));
    first.instance.push(row(1, Float32Array.of(3, 4)));
    first.instance.flush();
    expect(first.rows[0]?.values).toEqual([Float32Array.of(1, 2)]);
    for (const agg of ["sum", "time_mean", "linear"]) {
      const written = every10({ agg, fill: { linear: "30ms" } });
      expect(() => stepOf("resample", written, vector)).toThrow(`${agg} takes numbers: "v" is a vector of 2`);
    }
    expect(() => stepOf("resample", every10({ fill: { const: 0 } }), vector)).toThrow(
      "a constant takes numbers",
    );
  });
});

describe("resample with a constant", () => {
  test("fills what is missing, field by field, until the entity has said nothing for too long", () => {
    const rows = [row(0, 1, null), row(50, null, 2)];
    expect(resampled(every10({ fill: { const: 0, age: "20ms" } }), rows, ["x", "y"])).toEqual([
      "0 1 ~0",
      "10 ~0 ~0",
      "20 ~0 ~0",
      "50 ~0 2",
    ]);
  });

  test("ends after 1000 rows unless its age says otherwise", () => {
    const { instance, rows } = stepOf("resample", every10({ fill: { const: 0 } }), numbers("x"));
    instance.push(row(0, 1));
    instance.advance(1e9);
    expect(rows).toHaveLength(1_001);
  });
});

describe("resample by time_mean", () => {
  const mean = (more: object = {}) => every10({ agg: "time_mean", ...more });

  test("weighs each value by how long it held", () => {
    // [0, 10): 4 for 7 ms, 8 for 3; [10, 20): 8 for 5 ms, 2 for 5.
    const rows = [row(0, 4), row(7, 8), row(15, 2), row(20, 0)];
    expect(resampled(mean(), rows)).toEqual(["0 5.2", "10 5", "20 0"]);
  });

  test("a value holds for one bin at most, or as long as `hold` says; bins without a reading are filled", () => {
    expect(resampled(mean(), [row(5, 4), row(38, 1)])).toEqual(["0 4", "10 ~4", "30 1"]);
    expect(resampled(mean({ fill: { hold: "20ms" } }), [row(5, 4), row(38, 1)])).toEqual([
      "0 4",
      "10 ~4",
      "20 ~4",
      "30 1",
    ]);
  });

  test("along a line it reaches over the edges to the readings just outside", () => {
    // From (5, 0) to (15, 10): half of [0, 10) is covered, its mean 2.5; on to (25, 10).
    const rows = [row(5, 0), row(15, 10), row(25, 10)];
    expect(resampled(mean({ fill: { linear: "10ms" } }), rows)).toEqual(["0 2.5", "10 8.75", "20 10"]);
  });

  test("a line spans a gap up to the limit, and no longer one", () => {
    const rows = [row(0, 0), row(30, 30), row(70, 0), row(75, 0)];
    expect(resampled(mean({ fill: { linear: "30ms" } }), rows)).toEqual(["0 5", "10 ~15", "20 ~25", "70 0"]);
  });

  test("a bin of which too little is covered has no value", () => {
    const rows = [row(6, 4), row(20, 1), row(26, 2), row(28, 2)];
    expect(resampled(mean({ minCover: "50%", fill: { hold: "8ms" } }), rows)).toEqual(["20 1.4"]);
  });

  test("a bin of a line waits for the reading behind it, as long as one could count", () => {
    const { instance, rows } = stepOf("resample", mean({ fill: { linear: "30ms" } }), numbers("x"));
    instance.push(row(0, 0));
    instance.push(row(8, 8));
    expect(instance.advance(30)).toBe(0);
    expect(instance.dueMs()).toBe(39);
    expect(rows).toEqual([]);
    expect(instance.advance(39)).toBe(30);
    expect(show(rows)).toEqual(["0 4"]);
    expect(instance.dueMs()).toBe(Number.POSITIVE_INFINITY);
  });

  test("a held signal follows the watermark", () => {
    const { instance, rows } = stepOf("resample", mean({ fill: { hold: "25ms" } }), numbers("x"));
    instance.push(row(0, 3));
    expect(instance.advance(20)).toBe(20);
    expect(show(rows)).toEqual(["0 3", "10 ~3"]);
    expect(instance.dueMs()).toBe(30);
    instance.advance(1e9);
    expect(show(rows)).toEqual(["0 3", "10 ~3", "20 ~3"]);
  });
});

describe("resample along a line", () => {
  const linear = every10({ agg: "linear", fill: { linear: "30ms" } });

  test("reads the line between neighbours at each bin's start", () => {
    const rows = [row(4, 4), row(12, 12), row(20, 50), row(44, 2)];
    expect(resampled(linear, rows)).toEqual(["10 10", "20 50", "30 ~30", "40 10"]);
  });

  test("a gap beyond the limit stays open", () => {
    expect(resampled(linear, [row(0, 1), row(31, 1), row(40, 3)])).toEqual(["0 1", "40 3"]);
  });

  test("keys that do not go together are refused", () => {
    const written = (more: object) => () => stepOf("resample", every10(more), numbers("x"));
    expect(written({ agg: "linear" })).toThrow("linear: longest gap");
    expect(written({ agg: "mean", minCover: "50%" })).toThrow("goes with agg: time_mean");
    expect(written({ agg: "time_mean", fill: { const: 0 } })).toThrow("none, hold or linear");
  });
});
