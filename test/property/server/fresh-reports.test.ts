// Counts kept up report by report are those of going through all reports.

import fc from "fast-check";
import { expect, test } from "vitest";
import { FreshReports, freshForMs } from "../../../server/monitor/fresh-reports.js";
import type { ReceivedReport } from "../../../server/monitor/report-store.js";
import type { DeviceId } from "../../../shared/id.js";
import { monitor as monitorSchema } from "../../../shared/task/schema/monitor.js";
import { reportOf, sideOf, sumsOf } from "../../support/device-report.js";

const monitor = monitorSchema.parse({ report: "10s", limits: { rmse: 3 } });
const device = fc.constantFrom(...(["a", "b", "c", "d", "e"] as DeviceId[]));

const move = fc.record({
  device,
  passedMs: fc.constantFrom(0, 0, 1, 9_000, 31_000),
  isRemoved: fc.integer({ min: 0, max: 5 }).map((draw) => draw === 0),
  isDrifting: fc.boolean(),
  error: fc.constantFrom(1, 4),
  rows: fc.constantFrom(10, 100),
  version: fc.constantFrom(null, 1, 2),
});

test("whatever comes, goes and falls silent", () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
      const fresh = new FreshReports(monitor);
      const all = new Map<DeviceId, ReceivedReport>();
      let nowMs = 1_000_000;
      for (const { device, passedMs, isRemoved, isDrifting, error, rows, version } of moves) {
        nowMs += passedMs;
        if (isRemoved) {
          fresh.remove(device);
          all.delete(device);
        } else {
          const drift = { isDrifting, sinceMs: null };
          const serving = version === null ? null : sideOf(version);
          const report = reportOf({ drift, serving, window: sumsOf(rows, error) });
          fresh.put(device, { report, receivedMs: nowMs });
          all.set(device, { report, receivedMs: nowMs });
        }
        const left = [...all.values()]
          .filter(({ receivedMs }) => receivedMs >= nowMs - freshForMs(monitor))
          .map(({ report }) => report);
        expect(fresh.size(nowMs)).toBe(left.length);
        expect(fresh.drifting(nowMs)).toBe(left.filter(({ drift }) => drift.isDrifting).length);
        for (const version of [1, 2]) {
          const serving = left.filter((report) => report.serving?.version === version);
          const drift = serving.filter((report) => report.drift.isDrifting);
          // The worst root mean square error that is well is 3, over 20 rows at least.
          const limits = serving.filter(({ window }) => window.rows === 100 && window.squaredError > 900);
          expect(fresh.saying(nowMs, { reason: "drift", version })).toBe(drift.length);
          expect(fresh.saying(nowMs, { reason: "limits", version })).toBe(limits.length);
          expect(new Set(fresh.whoSay(nowMs, { reason: "drift", version }))).toEqual(new Set(drift));
        }
      }
    }),
  );
});
