import { describe, expect, test } from "vitest";
import { FleetView } from "../../../../server/monitor/fleet-view.js";
import { KEEP_WITHIN_MS } from "../../../../server/monitor/report-keeper.js";
import { ReportStore } from "../../../../server/monitor/report-store.js";
import { type Policy, policyOf } from "../../../../server/round/policy.js";
import { initialState, type RoundsState, type TrialState } from "../../../../server/round/state.js";
import { serverMigrations } from "../../../../server/storage.js";
import { Counters } from "../../../../shared/counters.js";
import { HeadwaterError } from "../../../../shared/error.js";
import type { DeviceId } from "../../../../shared/id.js";
import { openSqlite } from "../../../../shared/storage/sqlite.js";
import { parseTask } from "../../../../shared/task/parse.js";
import type { DeviceReport } from "../../../../shared/wire/report.js";
import { reportOf, sideOf, sumsOf } from "../../../support/device-report.js";
import { ManualClock } from "../../../support/manual-clock.js";

const MINUTE_MS = 60_000;
const [a, b, c, d] = ["a", "b", "c", "d"] as DeviceId[] as [DeviceId, DeviceId, DeviceId, DeviceId];

const policy: Policy = policyOf(
  parseTask(`
task: pumps
sources: { s: { mqtt: "p", decode: json, time: { field: t, unit: ms } } }
features: { from: s, list: [ { copy: [x] } ] }
label: { field: y }
model: { dense: [2], output: regression }
rollout: { canary: { rows: 10, soak: 0s } }
monitor:
  report: 1m
  limits: { rmse: 3 }
  retrain: { share: 50%, cooldown: 1h, perDay: 2, rounds: 3 }
  quarantine: { after: 10m, share: 30% }
`).task,
  { seed: "s", maxDevices: 4 },
);

class View {
  readonly database = openSqlite({ path: ":memory:", migrations: serverMigrations, durability: "full" });
  readonly clock = new ManualClock();
  readonly counters = new Counters();
  readonly view = this.open();
  state: RoundsState = { ...initialState, stable: 1, fleet: new Map() };

  open(): FleetView {
    const store = new ReportStore(this.database);
    return new FleetView({ store, policy, clock: this.clock, counters: this.counters });
  }

  known(...devices: DeviceId[]): this {
    const known = { canTrain: true, canEvaluate: true, seenMs: this.clock.now() };
    this.state = { ...this.state, fleet: new Map(devices.map((device) => [device, known])) };
    return this;
  }

  onTrial(changes: Partial<TrialState> = {}): this {
    const trial: TrialState = {
      ...{ version: 2, value: 1, mode: "canary", step: 0, below: 2 ** 32, sinceMs: 0, nextCheckMs: 0 },
      failures: 0,
      ...changes,
    };
    this.state = { ...this.state, trial };
    return this;
  }

  hear(device: DeviceId, report: DeviceReport) {
    this.view.hear(device, report);
    return this.view.look(this.state, device);
  }
}

const drifting = (sinceMs: number | null = null) => reportOf({ drift: { isDrifting: true, sinceMs } });

describe("evidence on a version in trial", () => {
  test("pools what its devices report on it and on stable, over the same rows", () => {
    const lab = new View().known(a, b, c).onTrial();
    lab.hear(a, reportOf({ serving: sideOf(2, sumsOf(10, 2)), beside: sideOf(1, sumsOf(10, 1)) }));
    lab.hear(b, reportOf({ serving: sideOf(2, sumsOf(30, 4)), beside: sideOf(1, sumsOf(30, 1)) }));
    expect(lab.view.evidence(lab.state)).toEqual({
      ...{ devices: 3, reporting: 2, silent: 1, failed: 0, rows: 200, invalid: 0, latencyRatio: 1 },
      ...{ labelled: 40, value: Math.sqrt((10 * 4 + 30 * 16) / 40), reference: 1, regression: 1 },
      ...{ failures: [], votes: { invalid: 0, slow: 0, judged: 2, worse: 2, good: 0 } },
    });
  });

  test("a device where it failed is not silent, and one that has not taken it up does not report on it", () => {
    const lab = new View().known(a, b).onTrial();
    lab.hear(a, reportOf({ serving: sideOf(1), failed: [2] }));
    lab.hear(b, reportOf({ serving: sideOf(1) }));
    expect(lab.view.evidence(lab.state)).toMatchObject({ devices: 2, reporting: 0, failed: 1, silent: 1 });
  });

  test("in shadow it is the version beside the served one", () => {
    const lab = new View().known(a).onTrial({ mode: "shadow" });
    lab.hear(a, reportOf({ serving: sideOf(1, sumsOf(10, 1)), beside: sideOf(2, sumsOf(10, 3)) }));
    expect(lab.view.evidence(lab.state)).toMatchObject({ reporting: 1, value: 3, reference: 1 });
  });

  test("an old report is silence", async () => {
    const lab = new View().known(a).onTrial();
    lab.hear(a, reportOf({ serving: sideOf(2), beside: sideOf(1) }));
    await lab.clock.advance(policy.rollout.guard.silentMs + 1);
    lab.known(a);
    expect(lab.view.evidence(lab.state)).toMatchObject({ devices: 1, reporting: 0, silent: 1 });
  });

  test("only devices of the step count", () => {
    const lab = new View().known(a, b, c, d).onTrial({ below: 0 });
    expect(lab.view.evidence(lab.state)).toMatchObject({ devices: 0, silent: 0 });
  });
});

describe("a fleet that drifts", () => {
  test("is told of once enough of the devices that report say so, with the time since when", () => {
    const lab = new View();
    for (const device of [a, b, c]) expect(lab.hear(device, reportOf())).toEqual([]);
    expect(lab.hear(a, drifting(500))).toEqual([]);
    expect(lab.hear(b, drifting(700))).toEqual([
      { type: "retrain", reason: "drift", devices: 2, share: 2 / 3, sinceMs: 500 },
    ]);
  });

  test("by a limit of a metric as well", () => {
    const lab = new View();
    const bad = reportOf({ window: sumsOf(100, 3.5) });
    expect(lab.hear(a, bad)).toMatchObject([{ type: "retrain", reason: "limits" }]);
    expect(new View().hear(a, reportOf({ window: sumsOf(100, 2.9) }))).toEqual([]);
    expect(new View().hear(a, reportOf({ window: sumsOf(19, 3.5) }))).toEqual([]);
  });

  test("devices that still serve another version, or have not reported lately, are not asked", async () => {
    const lab = new View();
    lab.hear(b, reportOf());
    expect(lab.hear(a, reportOf({ ...drifting(), serving: sideOf(9) }))).toEqual([]);
    await lab.clock.advance(4 * MINUTE_MS);
    expect(lab.hear(a, drifting())).toMatchObject([{ devices: 1, share: 1 }]);
  });

  test("not before the cool-down is over, and not during a trial", () => {
    const lab = new View();
    lab.state = { ...lab.state, retrainedMs: [lab.clock.now()] };
    expect(lab.hear(a, drifting())).toEqual([]);
    lab.state = { ...lab.state, retrainedMs: [] };
    lab.onTrial();
    expect(lab.hear(a, drifting())).toEqual([]);
  });
});

describe("a device that drifts alone", () => {
  test("is set aside after a while, and let in again when it no longer does", async () => {
    const lab = new View();
    const all = () => [b, c, d].flatMap((device) => lab.hear(device, reportOf()));
    expect([...all(), ...lab.hear(a, drifting())]).toEqual([]);
    await lab.clock.advance(10 * MINUTE_MS);
    expect(all()).toEqual([]);
    expect(lab.hear(a, drifting())).toEqual([{ type: "quarantine", device: a, reason: "drifts-alone" }]);
    lab.state = { ...lab.state, quarantined: new Map([[a, { reason: "drifts-alone", sinceMs: 0 }]]) };
    expect(lab.hear(a, drifting())).toEqual([]);
    for (const said of [reportOf(), reportOf(), drifting(), reportOf(), reportOf()])
      expect(lab.hear(a, said)).toEqual([]);
    // The third in a row.
    expect(lab.hear(a, reportOf())).toEqual([{ type: "quarantine-lifted", device: a }]);
  });
});

describe("on disk", () => {
  test("the last reports are there after a restart, the newest last, and only so many", async () => {
    const lab = new View();
    for (const device of ["a", "b", "c", "d", "e"] as DeviceId[]) lab.hear(device, reportOf());
    await lab.clock.advance(1);
    lab.hear(b, drifting(5));
    await lab.clock.advance(KEEP_WITHIN_MS);
    const again = lab.open();
    expect([...again.reports.keys()]).toEqual(["c", "d", "e", "b"]);
    const { receivedMs } = lab.view.reports.get(b)!;
    expect(again.reports.get(b)).toEqual({ report: drifting(5), receivedMs });
    expect(again.counts()).toEqual({ reporting: 4, drifting: 1, silent: 0, newestMs: receivedMs });
  });

  test("what came in the last second is lost in a crash, and said again by the next report", async () => {
    const lab = new View();
    lab.hear(a, reportOf({ serving: sideOf(1, sumsOf(10, 1)) }));
    await lab.clock.advance(KEEP_WITHIN_MS);
    lab.hear(a, reportOf({ serving: sideOf(1, sumsOf(20, 1)) }));
    lab.hear(b, reportOf());
    lab.view.stop();
    await lab.clock.advance(KEEP_WITHIN_MS);
    const again = lab.open();
    expect([...again.reports.keys()]).toEqual([a]);
    expect(again.reports.get(a)?.report.serving?.labelled.rows).toBe(10);
    const next = reportOf({ serving: sideOf(1, sumsOf(30, 1)) });
    again.hear(a, next);
    again.hear(b, reportOf());
    const unbroken = new View();
    for (const device of [a, b]) unbroken.hear(device, device === a ? next : reportOf());
    expect([...again.reports].map(([device, { report }]) => [device, report])).toEqual(
      [...unbroken.view.reports].map(([device, { report }]) => [device, report]),
    );
  });

  test("reports of one second are one commit, and a device's are one row", async () => {
    const lab = new View();
    let commits = 0;
    const { database } = lab;
    const transaction = database.transaction.bind(database);
    database.transaction = (body) => {
      commits += 1;
      return transaction(body);
    };
    for (let at = 0; at < 50; at++) lab.hear(at % 2 === 0 ? a : b, reportOf());
    expect(commits).toBe(0);
    await lab.clock.advance(KEEP_WITHIN_MS);
    expect(commits).toBe(1);
    expect(database.get("SELECT count(*) AS n FROM reports")?.n).toBe(2);
  });

  test("a disk that refuses them costs what is known after a restart, and is counted", async () => {
    const lab = new View();
    lab.hear(a, reportOf());
    lab.hear(b, reportOf());
    lab.database.transaction = () => {
      throw new HeadwaterError("storage-full", "no room");
    };
    await lab.clock.advance(KEEP_WITHIN_MS);
    expect(lab.counters.get("reports.not-kept.storage-full")).toBe(2);
    expect(lab.view.counts()).toMatchObject({ reporting: 2 });
  });
});

test("a device that has fallen silent counts as silent, and neither as drifting nor as well", async () => {
  const lab = new View();
  lab.hear(a, drifting());
  await lab.clock.advance(MINUTE_MS);
  lab.hear(b, reportOf());
  expect(lab.view.counts()).toMatchObject({ reporting: 2, drifting: 1, silent: 0 });
  await lab.clock.advance(2 * MINUTE_MS + 1);
  expect(lab.view.counts()).toMatchObject({ reporting: 1, drifting: 0, silent: 1 });
});
