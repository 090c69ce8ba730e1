import { describe, expect, test } from "vitest";
import { describeFleet, describeReports, type FleetMetrics } from "../../../../server/metrics/fleet.js";
import type { ServerStatus } from "../../../../server/status.js";
import { parseTask } from "../../../../shared/task/parse.js";
import { deviceId, taskId } from "../../../support/device-kit.js";
import { reportOf, sumsOf } from "../../../support/device-report.js";
import { smallTask } from "../../../support/small-task.js";

const MINUTE_MS = 60_000;
const NOW_MS = 100 * MINUTE_MS;
const { task } = parseTask(`${smallTask}monitor: { report: 5m }\n`);

const quiet: ServerStatus = {
  ...{
    task: taskId("small"),
    open: undefined,
    trainFromMs: undefined,
    rounds: 9,
    trainRounds: 4,
    head: 5,
    stable: 4,
  },
  ...{ stableValue: 1, finished: undefined, sequence: 7, trial: undefined, previous: 3 },
  selection: undefined,
  ...{ retrainUntil: undefined, quarantined: {}, devices: [], counters: {} },
};

const drifting = reportOf({
  data: { tested: 2, drifting: 1, columns: [{ column: "temp", effect: 0.5, drifts: true }] },
  drift: { isDrifting: true, sinceMs: null },
  quality: { missing: 0.2, refused: 0 },
  window: sumsOf(100, 3),
});

function describeWith(
  ages: Readonly<Record<string, number>>,
  status: Partial<ServerStatus> = {},
  report = drifting,
): FleetMetrics {
  const reports = new Map(
    Object.entries(ages).map(([name, ageMs]) => [
      deviceId(name),
      { report: name === "well" ? reportOf({ window: sumsOf(100, 1) }) : report, receivedMs: NOW_MS - ageMs },
    ]),
  );
  return describeFleet({ ...quiet, ...status }, describeReports({ task, reports, nowMs: NOW_MS }));
}

describe("the fleet in numbers", () => {
  test("a device whose report is three intervals old counts for nothing", () => {
    const fleet = describeWith({ well: 0, ill: 15 * MINUTE_MS, silent: 15 * MINUTE_MS + 1 });
    expect(fleet.reporting).toBe(2);
    expect(fleet.drifting).toEqual({ data: 1, concept: 0, any: 1 });
    expect(fleet.driftingColumns).toEqual({ temp: 1 });
  });

  test("quality is pooled over rows, not averaged over devices; shares are averaged", () => {
    const fleet = describeWith({ well: 0, ill: 0 });
    expect(fleet.quality.rmse).toBeCloseTo(Math.sqrt((1 + 9) / 2));
    expect(fleet.rowShares).toEqual({ missing: 0.1, refused: 0 });
  });

  test("without reports there is no quality, rather than one of zero", () => {
    const fleet = describeWith({});
    expect(fleet.quality).toEqual({});
    expect(fleet.rowShares).toEqual({});
    expect(fleet.drifting.any).toBe(0);
  });

  test("a trial is told by version, mode and share of devices", () => {
    const trial: ServerStatus["trial"] = {
      ...{ version: 5, step: 1, below: 2 ** 30, sinceMs: 0, failures: 2 },
      mode: "canary",
    };
    const fleet = describeWith(
      {},
      { trial, retrainUntil: 9, quarantined: { [deviceId("a")]: "drifts-alone" } },
    );
    expect(fleet.versions).toEqual({ head: 5, stable: 4, previous: 3, trial: 5 });
    expect(fleet.trialShare).toEqual({ shadow: 0, canary: 0.25 });
    expect(fleet).toMatchObject({ trialFailures: 2, isRetraining: true, quarantined: 1, sequence: 7 });
  });
});
