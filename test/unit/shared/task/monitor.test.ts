import { describe, expect, test } from "vitest";
import { parseTask } from "../../../../shared/task/parse.js";
import { linearYaml } from "../../../support/linear-task.js";

const parsed = (written: string) => parseTask(linearYaml({ rest: `monitor: ${written}` })).task.monitor;

describe("monitor", () => {
  test("watches error and data unless told otherwise", () => {
    expect(parsed("{}")).toMatchObject({
      ...{ window: 1_000, reportMs: 300_000, seasonMs: undefined, limits: [] },
      concept: { kind: "adwin", params: { delta: 0.002 } },
      data: { test: "ks", rows: 1_000, alpha: 0.01, effect: 0.2, windows: 2 },
    });
  });

  test("takes a detector and a test with parameters of their own, and a season", () => {
    const written =
      "{ concept: { hddm-a: { drift: 0.01, warning: 0.05 } }, data: { psi: { rows: 200 } }, season: 1d }";
    expect(parsed(written)).toMatchObject({
      concept: { kind: "hddm-a", params: { drift: 0.01 } },
      data: { test: "psi", rows: 200, windows: 2 },
      seasonMs: 86_400_000,
    });
  });

  test("watches nothing of either where told so", () => {
    expect(parsed("{ concept: none, data: none }")).toMatchObject({ concept: undefined, data: undefined });
  });

  test.each([
    ["{ concept: adwim }", /monitor\.concept/],
    ["{ concept: { adwin: { detla: 1 } } }", /monitor\.concept/],
    ["{ data: kss }", /monitor\.data/],
    ["{ data: { ks: { rows: 1 } } }", /monitor\.data/],
    ["{ concept: eddm }", /eddm hears hits and misses, and a model for regression has errors of any size/],
  ])("refuses %s", (written, message) => {
    expect(() => parsed(written)).toThrow(message);
  });

  test("is there without being written where a trial needs reports", () => {
    const rest = "rollout: { canary: {} }";
    expect(parseTask(linearYaml({ rest })).task.monitor).toMatchObject({ concept: { kind: "adwin" } });
  });
});
