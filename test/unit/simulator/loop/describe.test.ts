import { expect, test } from "vitest";
import { describeDrift } from "../../../../simulator/loop/describe.js";
import { deviceId } from "../../../support/device-kit.js";
import { sampleDrift } from "../../../support/sample-drift.js";

test("a drift is told from its beginning to its end, and what came before it is not", () => {
  expect(describeDrift(sampleDrift, "accuracy")).toEqual([
    "drift (concept) on 8 devices at 2026-01-09T00:00:00.000Z",
    "the fleet saw it after 2.0 h, the first device after 1.0 h",
    "1 false alarm in 1000 rows without a change",
    "+2.0 h: 3 devices said so, the fleet learnt anew (drift)",
    "+4.0 h: version 8 on trial, served by pump-2: rolled-back (accuracy: 9.0% worse than stable)",
    "+6.0 h: version 9 on trial, served by pump-1, pump-3: promoted",
    "accuracy 0.95 before, 0.6 during, 0.94 after (version 9): recovered",
  ]);
});

test("without a known drift it says what was taken for one", () => {
  const nothing = { ...sampleDrift, atMs: null, kind: null, detected: false, detectionDelay: null };
  const lines = describeDrift({ ...nothing, trials: [], retrainings: [] }, "accuracy");
  expect(lines).toEqual([
    "nothing is known to have changed",
    "nothing was done about anything",
    "1 false alarm in 1000 rows without a change",
    "accuracy 0.95 over all predictions",
  ]);
  expect(describeDrift({ ...nothing, detected: true }, "rmse")[1]).toBe(
    "the fleet took something for a drift",
  );
});

test("a drift that nobody cured says so", () => {
  const uncured = { ...sampleDrift, promoted: null, promotedMs: null, after: null, recovered: false };
  expect(describeDrift(uncured, "accuracy").at(-1)).toBe(
    "accuracy 0.95 before, 0.6 during, - after: no version was promoted",
  );
});

test("what happened stands in the order of time, whatever it was", () => {
  const [retraining] = sampleDrift.retrainings;
  const late = { ...retraining!, atMs: sampleDrift.promotedMs! };
  const between = { device: deviceId("pump-4"), atMs: sampleDrift.trials[2]!.startedMs - 1 };
  const report = { ...sampleDrift, retrainings: [retraining!, late], quarantined: [between] };
  expect(describeDrift(report, "accuracy").slice(3, -1)).toEqual([
    expect.stringContaining("+2.0 h: 3 devices said so"),
    expect.stringContaining("version 8 on trial"),
    "+6.0 h: pump-4 was left out of rounds",
    expect.stringContaining("version 9 on trial"),
    expect.stringContaining("+10.0 h: 3 devices said so"),
  ]);
});
