import { describe, expect, test } from "vitest";
import { reachOf } from "../../../../shared/pipeline/reach.js";
import { HOUR_MS, taskOf } from "../../../support/pipeline.js";

const DAY_MS = 24 * HOUR_MS;

describe("the event time that one example stands on", () => {
  test("is the label's horizon and the longest look back of the features", () => {
    const task = taskOf({
      features: {
        from: "air",
        list: [
          { copy: "x" },
          { rolling: { of: "x", over: "6h", get: ["mean"] } },
          { lag: { of: "x", by: ["1d"] } },
        ],
      },
      label: { forecast: { of: "x", ahead: "2h" } },
    });
    expect(reachOf(task)).toBe(DAY_MS + 2 * HOUR_MS);
    expect(task.rows.split.gapMs).toBe(DAY_MS + 2 * HOUR_MS);
  });

  test("holds what steps wait for and hold, one after the other", () => {
    const task = taskOf({
      steps: { grid: { from: "air", do: [{ resample: { every: "1h", fill: { hold: "6h" } } }] } },
      features: { from: "grid", list: [{ lag: { of: "x", rows: 3 } }] },
    });
    expect(reachOf(task)).toBe((1 + 6 + 3) * HOUR_MS);
  });

  test("holds how far back a join looks on its longer side", () => {
    const task = taskOf({
      sources: { air: {}, doors: {} },
      join: {
        rows: { left: "air", interval: { doors: { get: { open: ["count"] }, before: "3h", miss: "mask" } } },
      },
      features: { from: "rows", list: [{ copy: ["x", "open.count"] }] },
    });
    expect(reachOf(task)).toBe(3 * HOUR_MS);
  });

  test("is the horizon of an event, whatever gap the task asks for", () => {
    const task = taskOf({
      sources: { air: {}, words: {} },
      label: { event: { from: "words", of: "kind", positive: [1], horizon: "3d" } },
      rows: { split: { gap: "4d" } },
      model: { dense: [4], output: "binary" },
    });
    expect(reachOf(task)).toBe(3 * DAY_MS);
    expect(task.rows.split.gapMs).toBe(4 * DAY_MS);
  });
});
