// What reports and the version on trial look like to the dashboard.

import { DATA_DRIFT_DEFAULTS } from "../../shared/drift/data/port.js";
import type { DeviceId } from "../../shared/id.js";
import { planPipeline } from "../../shared/pipeline/plan.js";
import type { Task } from "../../shared/task/task.js";
import type { DeviceReport } from "../../shared/wire/report.js";
import { TRIAL_PLACES } from "../../shared/wire/trial.js";
import type { ReceivedReport } from "../monitor/report-store.js";
import type { ServerStatus } from "../status.js";
import type { DriftView, TrialView } from "./schema.js";

/** The last column of the heat map: the error of predictions. */
const ERROR_COLUMN = "(error)";
const ALMOST = 0.99;

/** The version on trial, undefined when there is none. */
export function trialView({ trial }: ServerStatus, { rollout }: Task): TrialView | undefined {
  if (trial === undefined) return undefined;
  const { version, mode, step, below, sinceMs, failures } = trial;
  const { canary, guard } = rollout;
  return {
    ...{ version, mode, step: step + 1, sinceMs },
    steps: mode === "shadow" ? 1 : (canary?.steps.length ?? 1),
    share: below / TRIAL_PLACES,
    ...(mode === "canary" && canary !== undefined ? { labels: { ...canary.labels } } : {}),
    ...(failures > 0 ? { note: `${failures} of ${guard.failures} checks that end it have failed` } : {}),
  };
}

/** Devices by columns: 1 is drift. */
export function driftView(reports: ReadonlyMap<DeviceId, ReceivedReport>, task: Task): DriftView {
  if (reports.size === 0) return { columns: [], devices: [] };
  const { columns } = planPipeline(task);
  const places = new Map(columns.map((column, place) => [column, place]));
  const floor = task.monitor?.data?.effect ?? DATA_DRIFT_DEFAULTS.floor.numbers;
  const devices = [...reports]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([device, { report, receivedMs }]) => ({
      device,
      reportedMs: receivedMs,
      scores: [...dataScores(report, places, floor), errorScore(report)],
    }));
  return { columns: [...columns, ERROR_COLUMN], devices };
}

function dataScores(
  { data }: DeviceReport,
  places: ReadonlyMap<string, number>,
  floor: number,
): (number | null)[] {
  const scores = new Array<number | null>(places.size).fill(null);
  for (const { column, effect, drifts } of data.columns) {
    const place = places.get(column);
    if (place === undefined) continue;
    const score = effect / floor;
    // A shift of that size is drift only once enough windows say so.
    scores[place] = drifts ? Math.max(1, score) : Math.min(ALMOST, score);
  }
  return scores;
}

function errorScore({ concept, serving }: DeviceReport): number | null {
  if (serving === null || serving.labelled.rows === 0) return null;
  return { ok: 0, warning: 0.7, drift: 1 }[concept.status];
}
