import { describe, expect, test } from "vitest";
import { trialView } from "../../../../server/http/monitor-views.js";
import type { ServerStatus } from "../../../../server/status.js";
import { parseTask } from "../../../../shared/task/parse.js";

const { task } = parseTask(`
task: pumps
sources: { s: { mqtt: "p", decode: json, time: { field: t, unit: ms } } }
features: { from: s, list: [ { copy: [x, z] } ] }
label: { field: y }
model: { dense: [2], output: regression }
rollout: { canary: { steps: [1, 50%], labels: { site: lab } } }
`);

describe("the version on trial", () => {
  const trial = { version: 7, mode: "canary", step: 1, below: 2 ** 31, sinceMs: 5, failures: 1 } as const;

  test("is told with its step, its share of the fleet, and how it fares", () => {
    expect(trialView({ trial } as ServerStatus, task)).toEqual({
      ...{ version: 7, mode: "canary", step: 2, steps: 2, share: 0.5, labels: { site: "lab" }, sinceMs: 5 },
      note: "1 of 3 checks that end it have failed",
    });
    expect(trialView({ trial: undefined } as ServerStatus, task)).toBeUndefined();
    const evidence = { devices: 4, reporting: 3, silent: 1, failed: 0, rows: 90, invalid: 0, labelled: 80 };
    const told = { ...evidence, latencyRatio: null, value: 2, reference: null };
    expect(trialView({ trial } as ServerStatus, task, told)?.evidence).toEqual({
      ...{ devices: 4, reporting: 3, failed: 0, rows: 90, labelled: 80, value: 2 },
    });
  });
});
