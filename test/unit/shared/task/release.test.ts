import { describe, expect, test } from "vitest";
import { parseTask } from "../../../../shared/task/parse.js";

const BASE = `task: t
sources: { s: { mqtt: "p", decode: json, time: { field: t, unit: ms } } }
features: { from: s, list: [ { copy: [x] } ] }
label: { field: y }
model: { dense: [2], output: regression }
`;
const taskOf = (yaml: string) => parseTask(BASE + yaml).task;

describe("rollout", () => {
  test("without a word on it: no trial, no monitor", () => {
    const { rollout, monitor } = taskOf("");
    expect(rollout).toMatchObject({ shadow: undefined, canary: undefined });
    expect(monitor).toBeUndefined();
  });

  test("a canary has steps, numbers before shares, and needs reports", () => {
    const { rollout, monitor } = taskOf("rollout: { canary: {} }");
    expect(rollout.canary).toEqual({
      steps: [
        { kind: "count", count: 1 },
        { kind: "share", share: 0.1 },
        { kind: "share", share: 0.25 },
      ],
      ...{ labels: {}, soakMs: 1_800_000, rows: 100 },
    });
    expect(monitor).toMatchObject({ reportMs: 300_000, retrain: undefined });
  });

  test.each([["[10%, 1]"], ["[25%, 10%]"], ["[2, 2]"]])("steps %s do not grow", (steps) => {
    expect(() => taskOf(`rollout: { canary: { steps: ${steps} } }`)).toThrow(/expected steps that grow/);
  });
});

describe("monitor", () => {
  test("retraining has a share, a cool-down and a cap", () => {
    expect(taskOf("monitor: { retrain: { share: 40% } }").monitor?.retrain).toEqual({
      ...{ when: ["drift", "limits"], share: 0.4, cooldownMs: 21_600_000, perDay: 4, rounds: 10 },
    });
  });

  test("a limit is on a metric that says something about the model", () => {
    expect(taskOf("monitor: { limits: { rmse: 3 } }").monitor?.limits).toEqual([
      { metric: "rmse", worst: 3 },
    ]);
    expect(() => taskOf("monitor: { limits: { recall: 0.9 } }")).toThrow(
      "monitor.limits.recall: recall does not fit a model for regression",
    );
  });
});
