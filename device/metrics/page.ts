// A device's metrics as a page for Prometheus. Only loaded when the device listens.

import { Exposition } from "../../shared/metrics/exposition.js";
import { type ProcessFacts, tellProcess } from "../../shared/metrics/process.js";
import { type DeviceMetric, deviceMetrics } from "../../shared/metrics/table.js";
import { metricValues } from "../../shared/model/metric.js";
import type { Task } from "../../shared/task/task.js";
import type { AgentStatus } from "../agent.js";
import type { MonitorSnapshot } from "../monitor/monitoring.js";
import type { DeviceMeter } from "./meter.js";

export interface DeviceMetricsSources {
  readonly process: ProcessFacts;
  readonly status: AgentStatus;
  readonly nowMs: number;
  readonly isTelemetryConnected: boolean;
  readonly meter: DeviceMeter;
  /** The task that is run, undefined before one is adopted. */
  readonly task: Task | undefined;
  /** What its monitor knows, undefined where it monitors nothing. */
  readonly monitor: MonitorSnapshot | undefined;
}

/** The page as text. */
export function renderDeviceMetrics(sources: DeviceMetricsSources): string {
  const page = new Exposition<DeviceMetric>(deviceMetrics);
  const { status, meter, isTelemetryConnected } = sources;
  tellProcess(page, sources.process);
  page.setEach("headwater_connected", "link", {
    server: Number(status.isConnected),
    telemetry: Number(isTelemetryConnected),
  });
  page.setEach("headwater_examples", "split", { ...status.examples });
  page.set("headwater_unlabelled_rows", status.unlabelled);
  page.set("headwater_pending_updates", status.pending.length);
  page.set("headwater_serving_version", status.serving ?? 0);
  page.set("headwater_round", status.round ?? 0);
  const { model, checkpointMs } = status;
  if (model !== undefined) {
    page.set("headwater_model_info", 1, { version: String(model.version), sha256: model.sha256 });
  }
  const ageMs = checkpointMs === undefined ? undefined : Math.max(0, sources.nowMs - checkpointMs);
  page.set("headwater_checkpoint_age_seconds", ageMs && ageMs / 1000);
  page.set("headwater_predictions_total", meter.predictions);
  page.buckets("headwater_prediction_duration_seconds", meter.answers.snapshot());
  for (const [kind, histogram] of Object.entries(meter.jobs)) {
    page.buckets("headwater_training_duration_seconds", histogram.snapshot(), { kind });
  }
  page.setEach("headwater_rounds_joined_total", "outcome", { ...ROUNDS, ...meter.rounds.toJSON() });
  page.setEach("headwater_updates_made_total", "outcome", { ...UPDATES, ...meter.updates.toJSON() });
  page.set("headwater_versions_rejected_total", meter.versionsRejected);
  if (sources.task !== undefined && sources.monitor !== undefined) {
    tellMonitor(page, sources.monitor, sources.task);
    page.setEach("headwater_drift_alarms_total", "kind", { ...ALARMS, ...meter.drifts.toJSON() });
  }
  return page.text();
}

// There from the start: the first of its kind would otherwise be no increase.
const ROUNDS = { update: 0, declined: 0, abandoned: 0 } as const;
const UPDATES = { accepted: 0, rejected: 0, dropped: 0 } as const;
const ALARMS = { concept: 0, data: 0 } as const;

function tellMonitor(
  page: Exposition<DeviceMetric>,
  { window, quality, columns, concept }: MonitorSnapshot,
  { model, monitor }: Task,
): void {
  page.setEach("headwater_quality", "metric", metricValues(window, model.output));
  page.setEach("headwater_row_ratio", "fault", quality);
  for (const { column, effect, drifts } of columns) {
    page.set("headwater_data_drift_statistic", effect, { column });
    page.set("headwater_data_drift_alarm", Number(drifts), { column });
  }
  // Where nothing watches errors, they are not known to be well.
  if (monitor?.concept !== undefined) {
    page.set("headwater_concept_drift_alarm", Number(concept.status === "drift"));
  }
}
