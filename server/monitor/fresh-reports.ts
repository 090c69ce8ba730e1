// Reports that still say something: a device that has fallen silent is neither well nor ill.

import type { DeviceId } from "../../shared/id.js";
import type { MonitorSpec } from "../../shared/task/task.js";
import type { DeviceReport } from "../../shared/wire/report.js";
import type { ReceivedReport } from "./report-store.js";

/** A report counts for this many times the interval of reports. */
const FRESH_REPORTS = 3;

/** Reports that are not out of date. */
export function freshReports(
  reports: ReadonlyMap<DeviceId, ReceivedReport>,
  { reportMs }: Pick<MonitorSpec, "reportMs">,
  nowMs: number,
): DeviceReport[] {
  const sinceMs = nowMs - FRESH_REPORTS * reportMs;
  return [...reports.values()].filter(({ receivedMs }) => receivedMs >= sinceMs).map(({ report }) => report);
}
