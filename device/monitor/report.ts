// A monitor's view as a report: what the wire has room for, and whole numbers where it asks for them.

import { type DeviceReport, REPORTED_COLUMNS_MAX, REPORTED_FAILURES_MAX } from "../../shared/wire/report.js";
import type { VersionName } from "../release/store.js";
import type { MonitorView, Tally } from "./monitor.js";

/** What a report tells beside what the monitor knows. */
export interface ReportContext {
  readonly sequence: number;
  readonly ageMs: number;
  /** Newest first. */
  readonly failed: readonly VersionName[];
  readonly quality: DeviceReport["quality"];
  readonly resources: DeviceReport["resources"];
}

/** Writes a report. */
export function reportOf(view: MonitorView, context: ReportContext): DeviceReport {
  const { sequence, ageMs, failed, quality, resources } = context;
  return {
    v: 1,
    sequence,
    ageMs: Math.max(0, Math.round(ageMs)),
    serving: view.serving === undefined ? null : sideOf(view.serving),
    beside: view.beside === undefined ? null : sideOf(view.beside),
    paired: view.paired,
    window: view.window,
    failed: [...new Set(failed.map(({ version }) => version))].slice(0, REPORTED_FAILURES_MAX),
    data: dataOf(view),
    concept: view.concept,
    drift: { isDrifting: view.drift.kind !== undefined, sinceMs: timeOf(view.drift.sinceMs) },
    quality,
    resources,
  };
}

function sideOf({ version, rows, invalid, totalUs, labelled }: Tally) {
  return { version, rows, invalid, totalUs: Math.round(totalUs), labelled };
}

function dataOf({ columns }: MonitorView): DeviceReport["data"] {
  const furthest = [...columns].sort((a, b) => b.effect - a.effect).slice(0, REPORTED_COLUMNS_MAX);
  return {
    tested: columns.length,
    drifting: columns.filter(({ drifts }) => drifts).length,
    columns: furthest.map(({ column, effect, drifts }) => ({
      column: column.slice(0, NAME_MAX),
      effect,
      drifts,
    })),
  };
}

const NAME_MAX = 200;

// Event time before 1970 is no time that a server can go by.
function timeOf(sinceMs: number | undefined): number | null {
  return sinceMs === undefined || sinceMs < 0 ? null : Math.floor(sinceMs);
}
