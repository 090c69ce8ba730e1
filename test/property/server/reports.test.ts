// Reports of devices that lie: whatever passes the schema is pooled, shown and written, and nothing of it is a fault of ours.

import fc from "fast-check";
import { expect, test } from "vitest";
import { FleetView } from "../../../server/monitor/fleet-view.js";
import { KEEP_WITHIN_MS } from "../../../server/monitor/report-keeper.js";
import { ReportStore } from "../../../server/monitor/report-store.js";
import { policyOf } from "../../../server/round/policy.js";
import { initialState, type RoundsState } from "../../../server/round/state.js";
import { serverMigrations } from "../../../server/storage.js";
import { Counters } from "../../../shared/counters.js";
import type { DeviceId } from "../../../shared/id.js";
import { openSqlite } from "../../../shared/storage/sqlite.js";
import { parseTask } from "../../../shared/task/parse.js";
import { decodeMessage, upSchemas } from "../../../shared/wire/message.js";
import { packValue } from "../../../shared/wire/msgpack.js";
import { type DeviceReport, reportSchema } from "../../../shared/wire/report.js";
import { reportOf, sideOf } from "../../support/device-report.js";
import { ManualClock } from "../../support/manual-clock.js";

const DEVICES = ["a", "b", "c"] as DeviceId[];

const policy = policyOf(
  parseTask(`
task: pumps
sources: { s: { mqtt: "p", decode: json, time: { field: t, unit: ms } } }
features: { from: s, list: [ { copy: [x] } ] }
label: { field: y }
model: { dense: [2], output: binary }
rollout: { canary: { rows: 10, soak: 0s } }
monitor: { report: 1m, limits: { accuracy: 0.5 }, retrain: { share: 50% }, quarantine: { after: 10m, share: 30% } }
`).task,
  { seed: "s", maxDevices: 4 },
);

const state: RoundsState = {
  ...initialState,
  stable: 1,
  fleet: new Map(DEVICES.map((device) => [device, { canTrain: true, canEvaluate: true, seenMs: 0 }])),
  trial: {
    ...{ version: 2, value: 1, mode: "canary", step: 0, below: 2 ** 32, sinceMs: 0, nextCheckMs: 0 },
    failures: 0,
  },
};

const count = fc.oneof(fc.maxSafeNat(), fc.nat(50), fc.constant(Number.MAX_SAFE_INTEGER));
const sum = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE),
  )
  // A whole number travels as one, and -0 is none.
  .map((value) => value + 0);
const positive = sum.map(Math.abs);
const sums = fc
  .record({ rows: count, squaredError: positive, absoluteError: positive, loss: sum, correct: count })
  .map((all) => ({ ...all, correct: Math.min(all.correct, all.rows) }));
const side = fc.record({
  ...{ version: fc.constantFrom(1, 2, 3), rows: count, invalid: count, totalUs: count, labelled: sums },
});
const report = fc
  .record({
    ...{ serving: fc.option(side), beside: fc.option(side), window: sums },
    failed: fc.array(fc.constantFrom(1, 2, 3), { maxLength: 16 }),
    paired: fc.record({ rows: count, sum, squares: positive }),
    drift: fc.record({ isDrifting: fc.boolean(), sinceMs: fc.option(count) }),
    data: fc.record({
      ...{ tested: count, drifting: count },
      columns: fc.array(
        fc.record({
          column: fc.string({ maxLength: 50, unit: "binary" }),
          effect: sum,
          drifts: fc.boolean(),
        }),
        { maxLength: 32 },
      ),
    }),
  })
  .map((changes): DeviceReport => reportOf(changes));

test("what is pooled of any reports is finite, and so it survives the journal", async () => {
  await fc.assert(
    fc.asyncProperty(fc.tuple(report, report, report), async (reports) => {
      const database = openSqlite({ path: ":memory:", migrations: serverMigrations, durability: "full" });
      const clock = new ManualClock();
      const options = { store: new ReportStore(database), policy, clock, counters: new Counters() };
      const view = new FleetView(options);
      for (const [at, sent] of reports.entries()) {
        const arrived = decodeMessage(upSchemas.report, packValue(sent));
        expect(arrived).toEqual(sent);
        view.hear(DEVICES[at]!, sent);
        const occurrences = view.look(state, DEVICES[at]!);
        expect(JSON.parse(JSON.stringify(occurrences))).toEqual(occurrences);
      }
      const evidence = view.evidence(state);
      expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
      await clock.advance(KEEP_WITHIN_MS);
      const again = new FleetView({ ...options, store: new ReportStore(database) });
      expect(again.reports.size).toBe(reports.length);
      database.close();
    }),
    { numRuns: 200 },
  );
});

test("a report that contradicts itself, or holds what is no number, is none", () => {
  const rows = { rows: 10, squaredError: 1, absoluteError: 1, loss: 1, correct: 5 };
  const confusion = { truePositives: 6, falsePositives: 0, falseNegatives: 0 };
  for (const changes of [
    { correct: 11 },
    { rows: -1 },
    { rows: 1.5 },
    { squaredError: -1 },
    { squaredError: Number.NaN },
    { loss: Number.POSITIVE_INFINITY },
    { rows: 2 ** 53 },
    { confusion },
    { confusion: { ...confusion, truePositives: 5, falsePositives: 6 } },
  ]) {
    const lie = reportOf({ serving: sideOf(1, { ...rows, ...changes }) });
    expect(reportSchema.safeParse(lie).success, JSON.stringify(changes)).toBe(false);
  }
});

test("who reports far more often than devices do is not listened to, and is again later", async () => {
  const database = openSqlite({ path: ":memory:", migrations: serverMigrations, durability: "full" });
  const clock = new ManualClock();
  const view = new FleetView({ store: new ReportStore(database), policy, clock, counters: new Counters() });
  const heard = Array.from({ length: 1000 }, () => view.mayReport(DEVICES[0]!));
  expect(heard.filter(Boolean)).toHaveLength(20);
  expect(view.mayReport(DEVICES[1]!)).toBe(true);
  await clock.advance(6_000);
  expect(view.mayReport(DEVICES[0]!)).toBe(true);
  database.close();
});
