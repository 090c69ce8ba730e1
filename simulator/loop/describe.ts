// The loop in sentences, for a terminal and for a page.

import type { MetricName } from "../../shared/task/task.js";
import type { DriftReport, VersionTrial } from "./drift-report.js";

const HOUR_MS = 3_600_000;

/** What happened, a line each. */
export function describeDrift(report: DriftReport, metric: MetricName): readonly string[] {
  return [
    whatChanged(report),
    whatWasSeen(report),
    whatWasNothing(report),
    ...whatHappened(report).map(({ atMs, text }) => `${since(report, atMs)}: ${text}`),
    whatCameOfIt(report, metric),
  ];
}

/** In the order of time. */
function whatHappened(report: DriftReport): readonly { readonly atMs: number; readonly text: string }[] {
  return [
    ...report.retrainings.map(({ atMs, devices, reason }) => ({
      atMs,
      text: `${devices} devices said so, the fleet learnt anew (${reason})`,
    })),
    ...report.trials
      .filter((trial) => isTold(report, trial))
      .map((trial) => ({ atMs: trial.startedMs, text: whatWasTried(trial) })),
    ...report.quarantined.map(({ device, atMs }) => ({ atMs, text: `${device} was left out of rounds` })),
  ].sort((a, b) => a.atMs - b.atMs);
}

function whatChanged({ atMs, kind, devices }: DriftReport): string {
  return atMs === null
    ? "nothing is known to have changed"
    : `drift (${kind}) on ${devices} devices at ${new Date(atMs).toISOString()}`;
}

function whatWasSeen({ atMs, detected, detectionDelay, firstAlarmDelay }: DriftReport): string {
  if (!detected) return atMs === null ? "nothing was done about anything" : "nothing was done about it";
  if (detectionDelay === null) return "the fleet took something for a drift";
  const first = firstAlarmDelay === null ? "" : `, the first device after ${hours(firstAlarmDelay)}`;
  return `the fleet saw it after ${hours(detectionDelay)}${first}`;
}

function whatWasNothing({ falseAlarms, calmRows }: DriftReport): string {
  return `${falseAlarms} false ${falseAlarms === 1 ? "alarm" : "alarms"} in ${calmRows} rows without a change`;
}

/** With a known change: those from then on. */
function isTold({ atMs }: DriftReport, { startedMs }: VersionTrial): boolean {
  return atMs === null || startedMs >= atMs;
}

function whatWasTried({ version, outcome, reasons, servedBy }: VersionTrial): string {
  const why = reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
  const by = servedBy.length === 0 ? "nobody" : servedBy.join(", ");
  return `version ${version} on trial, served by ${by}: ${outcome ?? "not over"}${why}`;
}

function whatCameOfIt(
  { atMs, before, during, after, promoted, recovered }: DriftReport,
  metric: MetricName,
): string {
  if (atMs === null) return `${metric} ${number(before)} over all predictions`;
  const values = `${metric} ${number(before)} before, ${number(during)} during, ${number(after)} after`;
  if (promoted === null) return `${values}: no version was promoted`;
  return `${values} (version ${promoted}): ${recovered ? "recovered" : "not recovered"}`;
}

function since({ atMs }: DriftReport, timeMs: number): string {
  return atMs === null
    ? new Date(timeMs).toISOString()
    : `${timeMs < atMs ? "-" : "+"}${hours(Math.abs(timeMs - atMs))}`;
}

function hours(ms: number): string {
  return `${(ms / HOUR_MS).toFixed(1)} h`;
}

function number(value: number | null): string {
  return value === null ? "-" : String(Number(value.toPrecision(4)));
}
