// A drift report as a fleet might leave it.

import type { DriftReport } from "../../simulator/loop/drift-report.js";
import { deviceId } from "./device-kit.js";

const HOUR_MS = 3_600_000;
const atMs = Date.UTC(2026, 0, 9);

/** Seen after two hours, cured by version 9 after ten. */
export const sampleDrift: DriftReport = {
  ...{ atMs, kind: "concept", devices: 8, detected: true },
  detectionDelay: 2 * HOUR_MS,
  firstAlarmDelay: HOUR_MS,
  ...{ falseAlarms: 1, calmRows: 1000 },
  promoted: 9,
  promotedMs: atMs + 10 * HOUR_MS,
  recovered: true,
  ...{ before: 0.95, during: 0.6, after: 0.94 },
  alarms: [{ device: deviceId("pump-1"), atMs: atMs + HOUR_MS, version: 7, isFalse: false }],
  retrainings: [{ atMs: atMs + 2 * HOUR_MS, reason: "drift", devices: 3, share: 0.375 }],
  trials: [
    {
      ...{ version: 6, startedMs: atMs - 9 * HOUR_MS, endedMs: atMs - 8 * HOUR_MS, outcome: "promoted" },
      ...{ reasons: [], servedBy: [] },
    },
    {
      ...{ version: 8, startedMs: atMs + 4 * HOUR_MS, endedMs: atMs + 5 * HOUR_MS, outcome: "rolled-back" },
      ...{ reasons: ["accuracy: 9.0% worse than stable"], servedBy: [deviceId("pump-2")] },
    },
    {
      ...{ version: 9, startedMs: atMs + 6 * HOUR_MS, endedMs: atMs + 10 * HOUR_MS, outcome: "promoted" },
      ...{ reasons: [], servedBy: [deviceId("pump-1"), deviceId("pump-3")] },
    },
  ],
  quarantined: [],
  course: [
    { fromMs: atMs - HOUR_MS, value: 0.95, rows: 48 },
    { fromMs: atMs, value: 0.6, rows: 48 },
    { fromMs: atMs + HOUR_MS, value: null, rows: 0 },
  ],
};
