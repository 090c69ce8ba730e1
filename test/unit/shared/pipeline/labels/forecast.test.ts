import { describe, expect, test } from "vitest";
import { HOUR_MS, reading, runAll, taskOf } from "../../../../support/pipeline.js";

const noSplit = { split: { validation: "0%" } };

describe("labels", () => {
  test("a forecast by time takes the row at exactly t + ahead, or none", () => {
    const task = taskOf({ label: { forecast: { of: "x", ahead: "2h" } }, rows: noSplit });
    const hours = [0, 1, 2, 2.5, 4, 5];
    const { counters, examples } = runAll(
      task,
      hours.map((hour) => reading(hour * HOUR_MS, { x: hour })),
    );
    expect(examples.map(({ label, persistence }) => [persistence, label])).toEqual([
      [0, 2],
      [2, 4],
    ]);
    // 1 h has no row at 3 h; 2.5, 4 and 5 h end with the data.
    expect(counters.toJSON()).toEqual({ "labels.no-row": 4 });
  });

  test("a forecast by rows counts every row, also those without features", () => {
    const task = taskOf({
      features: { from: "air", list: [{ copy: "y" }] },
      label: { forecast: { of: "x", ahead: { rows: 2 } } },
      rows: noSplit,
    });
    const y = [1, null, 1, 1, 1];
    const { examples } = runAll(
      task,
      y.map((value, i) => reading(i * i * HOUR_MS, { x: i, y: value })),
    );
    expect(examples.map(({ persistence, label }) => [persistence, label])).toEqual([
      [0, 2],
      [2, 4],
    ]);
  });

  test("a missing target drops its example and is counted", () => {
    const task = taskOf({
      features: { from: "air", list: [{ copy: "y" }] },
      label: { forecast: { of: "x", ahead: "1h" } },
      rows: noSplit,
    });
    const { counters, examples } = runAll(task, [
      reading(0, { x: 1, y: 1 }),
      reading(HOUR_MS, { x: null, y: 1 }),
      reading(2 * HOUR_MS, { x: 3, y: 1 }),
    ]);
    expect(examples.map(({ label, persistence }) => [persistence, label])).toEqual([[null, 3]]);
    expect(counters.get("labels.missing")).toBe(1);
  });

  test("a field label is clamped", () => {
    const task = taskOf({ label: { field: { of: "rul", min: 1, max: 125 } }, rows: noSplit });
    const { examples } = runAll(
      task,
      [200, 125, 7, 0].map((rul, i) => reading(i, { x: 1, rul })),
    );
    expect(examples.map(({ label }) => label)).toEqual([125, 125, 7, 1]);
  });

  test("what is no class index is counted and dropped", () => {
    const task = taskOf({
      label: { field: "digit" },
      rows: noSplit,
      model: { dense: [4], output: { classification: 10 } },
    });
    const { counters, examples } = runAll(
      task,
      [0, 9, 10, -1, 1.5].map((digit, i) => reading(i, { x: 1, digit })),
    );
    expect(examples.map(({ label }) => label)).toEqual([0, 9]);
    expect(counters.toJSON()).toEqual({ "labels.not-a-class": 3 });
  });

  test("what is neither 0 nor 1 is counted and dropped where those are the labels", () => {
    const task = taskOf({
      label: { field: "occupied" },
      rows: noSplit,
      model: { dense: [4], output: "binary" },
    });
    const { counters, examples } = runAll(
      task,
      [0, 1, 2, -1, 0.5].map((occupied, i) => reading(i, { x: 1, occupied })),
    );
    expect(examples.map(({ label }) => label)).toEqual([0, 1]);
    expect(counters.toJSON()).toEqual({ "labels.not-a-class": 3 });
  });

  test("pending forecasts are bounded, and the oldest are counted as they go", () => {
    const task = taskOf({ label: { forecast: { of: "x", ahead: "365d" } }, rows: noSplit });
    const readings = Array.from({ length: 131_082 }, (_, i) => reading(i, { x: 1 }));
    const { counters } = runAll(task, readings);
    expect(counters.toJSON()).toEqual({ "labels.no-row": 131_072, "labels.pending-full": 10 });
  });
});
