import { describe, expect, test } from "vitest";
import { layOut, layoutProblems } from "../../../../shared/pipeline/layout.js";
import { planPipeline } from "../../../../shared/pipeline/plan.js";
import { taskOf } from "../../../support/pipeline.js";

describe("layout", () => {
  test("a source has the fields that something downstream reads, vectors with their length", () => {
    const task = taskOf({
      sources: { air: { vectors: { v: 3, unused: 9 } } },
      steps: { clean: { from: "air", do: [{ range: { of: "x", min: 0 } }] } },
      features: { from: "clean", list: [{ copy: ["v"] }, { lag: { of: "y", rows: 1 } }] },
      label: { field: "z" },
    });
    expect(layOut(task).fields).toEqual([
      { name: "v", length: 3 },
      { name: "y", length: 1 },
      { name: "z", length: 1 },
      { name: "x", length: 1 },
    ]);
  });

  test("after a window only its own fields exist, and a wrong one is told with the likely name", () => {
    const task = taskOf({
      steps: {
        stats: { from: "air", do: [{ window: { over: "1h", get: { temp: ["mean", "std"] } } }] },
      },
      features: { from: "stats", list: [{ copy: ["temp.mean", "temp.men"] }, { copy: "temp" }] },
      label: { field: "other" },
    });
    expect(layoutProblems(task)).toEqual([
      {
        path: ["features", "list", 0, "copy", 1],
        message: 'no field is called "temp.men" here; did you mean "temp.mean"?',
      },
      { path: ["features", "list", 1, "copy"], message: expect.stringContaining('"temp"') },
      { path: ["label", "field", "of"], message: expect.stringContaining('"other"') },
    ]);
  });

  test("operators on numbers refuse vectors, also in steps that lead nowhere", () => {
    const task = taskOf({
      sources: { air: { vectors: { v: 3 } } },
      steps: { dead: { from: "air", do: [{ range: { of: ["x", "v"], min: 0 } }] } },
    });
    expect(layoutProblems(task)).toEqual([
      { path: ["steps", "dead", "do", 0, "range", "of", 1], message: 'takes numbers: "v" is a vector of 3' },
    ]);
  });

  test("a column made twice and a source that feeds nothing are problems", () => {
    const task = taskOf({
      sources: { air: {}, water: {} },
      features: { from: "air", list: [{ copy: ["x", "x"] }] },
    });
    expect(layoutProblems(task).map(({ message }) => message)).toEqual([
      'column "x" is made twice',
      "feeds nothing: neither features nor label come from it",
    ]);
  });
});

describe("plan", () => {
  test("names the columns and says how long the first features take", () => {
    const task = taskOf({
      steps: { hourly: { from: "air", do: [{ resample: { every: "1h" } }] } },
      features: {
        from: "hourly",
        list: [
          { copy: "x" },
          { lag: { of: "x", by: ["1h", "90m", "24h"] } },
          { rolling: { of: "x", rows: 30, get: ["mean", "std"] } },
          { cyclic: ["hour", "dow"] },
          { observed: "x" },
        ],
      },
    });
    const plan = planPipeline(task);
    expect(plan.columns).toEqual([
      "x",
      "x.lag_1h",
      "x.lag_90m",
      "x.lag_24h",
      "x.rolling_mean_30",
      "x.rolling_std_30",
      "hour_sin",
      "hour_cos",
      "dow_sin",
      "dow_cos",
    ]);
    expect(plan.warmUp).toEqual({ ms: 30 * 3_600_000, rows: 30 });
    const ofParts = plan.parts.reduce((bytes, { stateBytes }) => bytes + stateBytes, 0);
    expect(ofParts).toBeGreaterThan(25 * 16);
    expect(ofParts).toBeLessThan(10_000);
    // Objects have a size, too.
    expect(plan.stateBytesPerEntity).toBeGreaterThan(ofParts + plan.parts.length * 1_000);
  });
});
