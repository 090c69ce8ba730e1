// What the rollout and the devices' reports come to, as numbers for the metrics page.

import type { DeviceId } from "../../shared/id.js";
import { emptyMetricSums, mergeMetricSums, metricValues } from "../../shared/model/metric.js";
import type { Task } from "../../shared/task/task.js";
import type { DeviceReport } from "../../shared/wire/report.js";
import { TRIAL_PLACES } from "../../shared/wire/trial.js";
import { freshForMs } from "../monitor/fresh-reports.js";
import type { ReceivedReport } from "../monitor/report-store.js";
import type { ServerStatus } from "../status.js";

/** The rollout and the fleet now. */
export interface FleetMetrics extends ReportMetrics {
  /** By line; 0: none. */
  readonly versions: Readonly<Record<"head" | "stable" | "previous" | "trial", number>>;
  readonly sequence: number;
  /** By mode; 0: no trial. */
  readonly trialShare: Readonly<Record<"shadow" | "canary", number>>;
  readonly trialFailures: number;
  readonly quarantined: number;
  readonly isRetraining: boolean;
}

/** What devices report, taken together. */
export interface ReportMetrics {
  /** Devices whose report is not out of date; all below is of these. */
  readonly reporting: number;
  readonly drifting: Readonly<Record<"data" | "concept" | "any", number>>;
  /** Devices, by column. */
  readonly driftingColumns: Readonly<Record<string, number>>;
  /** Pooled over the newest labelled rows, by metric. */
  readonly quality: Readonly<Record<string, number>>;
  /** Mean of the devices; empty without reports. */
  readonly rowShares: Readonly<Record<string, number>>;
}

/** What `describeReports` looks at. */
export interface ReportFacts {
  readonly task: Task;
  readonly reports: ReadonlyMap<DeviceId, ReceivedReport>;
  readonly nowMs: number;
}

export function describeFleet(status: ServerStatus, reports: ReportMetrics): FleetMetrics {
  const { head, stable, trial, previous = 0, sequence, quarantined, retrainUntil } = status;
  return {
    ...reports,
    versions: { head, stable, previous, trial: trial?.version ?? 0 },
    sequence,
    trialShare: { shadow: 0, canary: 0, ...(trial && { [trial.mode]: trial.below / TRIAL_PLACES }) },
    trialFailures: trial?.failures ?? 0,
    quarantined: Object.keys(quarantined).length,
    isRetraining: retrainUntil !== undefined,
  };
}

/** Looks at every report. */
export function describeReports({ task, reports, nowMs }: ReportFacts): ReportMetrics {
  const sinceMs = task.monitor === undefined ? Number.POSITIVE_INFINITY : nowMs - freshForMs(task.monitor);
  const fresh = [...reports.values()].flatMap(({ report, receivedMs }) =>
    receivedMs >= sinceMs ? [report] : [],
  );
  const window = fresh.reduce((sum, report) => mergeMetricSums(sum, report.window), emptyMetricSums);
  return {
    reporting: fresh.length,
    drifting: {
      data: fresh.filter(({ data }) => data.drifting > 0).length,
      concept: fresh.filter(({ concept }) => concept.status === "drift").length,
      any: fresh.filter(({ drift }) => drift.isDrifting).length,
    },
    driftingColumns: countColumns(fresh),
    quality: window.rows === 0 ? {} : metricValues(window, task.model.output),
    rowShares: meanShares(fresh),
  };
}

function countColumns(reports: readonly DeviceReport[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { data } of reports) {
    for (const { column, drifts } of data.columns) {
      if (drifts) counts.set(column, (counts.get(column) ?? 0) + 1);
    }
  }
  // Columns are named by devices: the most frequent are told by name, should there be more than the table allows.
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}

function meanShares(reports: readonly DeviceReport[]): Record<string, number> {
  if (reports.length === 0) return {};
  const mean = (fault: "missing" | "refused") =>
    reports.reduce((sum, { quality }) => sum + quality[fault], 0) / reports.length;
  return { missing: mean("missing"), refused: mean("refused") };
}
