// A monitor's view as a report: what the wire has room for, and whole numbers where it asks for them.

import {
  type DeviceReport,
  FAILURE_DETAIL_MAX,
  FAILURE_REASON_MAX,
  REPORTED_COLUMNS_MAX,
  REPORTED_FAILURES_MAX,
} from "../../shared/wire/report.js";
import type { ToldFailure } from "../release/failures.js";
import type { MonitorView, Tally } from "./monitor.js";

/** What a report tells beside what the monitor knows. */
export interface ReportContext {
  readonly sequence: number;
  readonly ageMs: number;
  /** Newest first. */
  readonly failed: readonly ToldFailure[];
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
    ...failuresOf(failed),
    data: dataOf(view),
    concept: view.concept,
    drift: { isDrifting: view.drift.kind !== undefined, sinceMs: timeOf(view.drift.sinceMs) },
    quality,
    resources,
  };
}

/** The newest word on each version. */
function failuresOf(all: readonly ToldFailure[]): Pick<DeviceReport, "failed" | "failures"> {
  const first = all.filter(({ version }, at) => all.findIndex((each) => each.version === version) === at);
  const failures = first.slice(0, REPORTED_FAILURES_MAX).map(({ version, reason, detail }) => {
    return {
      version,
      reason: reason.slice(0, FAILURE_REASON_MAX),
      detail: detail.slice(0, FAILURE_DETAIL_MAX),
    };
  });
  return { failed: failures.map(({ version }) => version), ...(failures.length > 0 && { failures }) };
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
