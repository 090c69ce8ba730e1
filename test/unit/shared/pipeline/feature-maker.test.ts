import { describe, expect, test } from "vitest";
import { layOut } from "../../../../shared/pipeline/layout.js";
import { reading, runAll, taskOf } from "../../../support/pipeline.js";

const list = [{ copy: ["x", "y"] }, { lag: { of: "x", rows: 1 } }, { cyclic: "hour" }, { missing: "y" }];

const readings = [
  reading(0, { x: 1, y: 2 }),
  reading(1, { x: 3, y: null }),
  reading(2, { x: null, y: 4 }),
  reading(3, { x: 5, y: 6 }),
  reading(4, { x: 7, y: 8 }),
];

/** Columns but those of the time of day, row by row. */
function featuresOf(missing: string) {
  const task = taskOf({ features: { from: "air", list, missing } });
  const { features, counters } = runAll(task, readings);
  const columns = layOut(task).columns.map((name, i) => [name, i] as const);
  const shown = columns.filter(([name]) => !name.startsWith("hour"));
  return {
    columns: shown.map(([name]) => name),
    rows: features.map((row) => [row.timeMs, ...shown.map(([, i]) => row.features[i])]),
    counts: counters.toJSON(),
  };
}

describe("a row without some value", () => {
  test("gives no features by default", () => {
    const { columns, rows, counts } = featuresOf("drop");
    expect(columns).toEqual(["x", "y", "x.lag_1", "y.missing"]);
    expect(rows).toEqual([[4, 7, 8, 5, 0]]);
    expect(counts).toMatchObject({ "features.warming-up": 1, "features.missing": 3 });
  });

  test("under a mask has 0 for it and 1 in its indicator, behind all values; warming up is still skipped", () => {
    const { columns, rows, counts } = featuresOf("mask");
    expect(columns).toEqual(["x", "y", "x.lag_1", "y.missing", "x_missing", "y_missing", "x.lag_1_missing"]);
    expect(rows).toEqual([
      [1, 3, 0, 1, 1, 0, 1, 0],
      [2, 0, 4, 3, 0, 1, 0, 0],
      [3, 5, 6, 0, 0, 0, 0, 1],
      [4, 7, 8, 5, 0, 0, 0, 0],
    ]);
    expect(counts).toMatchObject({ "features.warming-up": 1, "features.masked": 3 });
  });

  test("under a mask is still no row where something else must be observed", () => {
    const task = taskOf({
      features: { from: "air", list: [{ copy: "x" }, { observed: "y" }], missing: "mask" },
    });
    const { features } = runAll(task, readings);
    expect(features.map(({ timeMs }) => timeMs)).toEqual([0, 2, 3, 4]);
  });
});
