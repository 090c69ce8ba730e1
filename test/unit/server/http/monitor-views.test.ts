import { describe, expect, test } from "vitest";
import { driftView, trialView } from "../../../../server/http/monitor-views.js";
import type { ServerStatus } from "../../../../server/status.js";
import type { DeviceId } from "../../../../shared/id.js";
import { parseTask } from "../../../../shared/task/parse.js";
import { reportOf, sideOf, sumsOf } from "../../../support/device-report.js";

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
  });
});

describe("drift by device and column", () => {
  test("is 1 and more where a column drifts, less where it only shifts, and nothing where nothing is known", () => {
    const report = reportOf({
      serving: sideOf(1, sumsOf(5, 1)),
      concept: { status: "warning", detections: 0 },
      data: { tested: 1, drifting: 1, columns: [{ column: "x", effect: 0.4, drifts: true }] },
    });
    const quiet = reportOf({
      data: { tested: 1, drifting: 0, columns: [{ column: "z", effect: 9, drifts: false }] },
    });
    const reports = new Map([
      ["b" as DeviceId, { report, receivedMs: 3 }],
      ["a" as DeviceId, { report: quiet, receivedMs: 2 }],
    ]);
    expect(driftView(reports, task)).toEqual({
      columns: ["x", "z", "(error)"],
      devices: [
        { device: "a", reportedMs: 2, scores: [null, 0.99, null] },
        { device: "b", reportedMs: 3, scores: [2, null, 0.7] },
      ],
    });
  });
});
