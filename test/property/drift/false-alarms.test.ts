// What an operator relies on: a device whose telemetry keeps its law does not cry wolf, and one that shifts is heard.

import { describe, expect, test } from "vitest";
import { DataDrift } from "../../../shared/drift/data/data-drift.js";
import { DATA_DRIFT_DEFAULTS } from "../../../shared/drift/data/port.js";
import { streams, telemetryOf } from "../../support/telemetry-streams.js";

const COLUMNS = ["a", "b", "c", "d"];
const REFERENCE_ROWS = 5_000;
const ROWS = 10_000;
const SEEDS = 25;

function watched(name: string, seed: number, test: "ks" | "psi") {
  const next = telemetryOf(name, `false alarms ${seed}`, COLUMNS.length);
  const seasonMs = streams[name]?.seasonMs;
  const drift = new DataDrift({ ...DATA_DRIFT_DEFAULTS, columns: COLUMNS, test, seasonMs });
  drift.freeze(Array.from({ length: REFERENCE_ROWS }, () => next()));
  return { next, drift };
}

/** Windows, of any column, told to have drifted. */
function alarmsOf(name: string, seed: number, test: "ks" | "psi"): number {
  const { next, drift } = watched(name, seed, test);
  let alarms = 0;
  for (let i = 0; i < ROWS; i++) {
    const window = drift.push(next());
    if (window?.columns.some(({ verdict }) => verdict === "drift")) alarms += 1;
  }
  return alarms;
}

describe.each(Object.keys(streams))("telemetry: %s", (name) => {
  test.each(["ks", "psi"] as const)(
    "%s tells at most one false alarm in 10,000 rows of a device",
    (method) => {
      let alarms = 0;
      for (let seed = 0; seed < SEEDS; seed++) alarms += alarmsOf(name, seed, method);
      expect(alarms / SEEDS).toBeLessThanOrEqual(1);
    },
  );
});

describe.each(["independent", "phi 0.5", "phi 0.9", "uniform", "heavy tail", "daily cycle, phi 0.9"])(
  "telemetry: %s",
  (name) => {
    test("a shift by one deviation is told within two windows, on nine devices of ten", () => {
      let found = 0;
      for (let seed = 0; seed < SEEDS; seed++) {
        const { next, drift } = watched(name, seed, "ks");
        let isFound = false;
        for (let i = 0; i < 2 * DATA_DRIFT_DEFAULTS.windowRows; i++)
          if (drift.push(next(1))?.columns[0]?.verdict === "drift") isFound = true;
        if (isFound) found += 1;
      }
      expect(found / SEEDS, `${found} of ${SEEDS}`).toBeGreaterThanOrEqual(0.9);
    });
  },
);
