// A device's metrics as a page for Prometheus. Only loaded when the device listens.

import { Exposition } from "../../shared/metrics/exposition.js";
import { type ProcessFacts, tellProcess } from "../../shared/metrics/process.js";
import { type DeviceMetric, deviceMetrics } from "../../shared/metrics/table.js";
import type { AgentStatus } from "../agent.js";
import type { DeviceMeter } from "./meter.js";

/** What the device's monitor knows; parts that it does not watch are left out. */
export interface MonitorMetrics {
  /** Of the served version on labelled rows, by metric. */
  readonly quality: Readonly<Record<string, number>>;
  /** By column. */
  readonly missingRatio: Readonly<Record<string, number>>;
  readonly dataDrift: Readonly<Record<string, { readonly statistic: number; readonly isAlarm: boolean }>>;
  readonly isConceptDrifting: boolean | undefined;
  /** Alarms raised since the start. */
  readonly alarms: { readonly data: number; readonly concept: number };
}

export interface DeviceMetricsSources {
  readonly process: ProcessFacts;
  readonly status: AgentStatus;
  readonly nowMs: number;
  readonly isTelemetryConnected: boolean;
  readonly meter: DeviceMeter;
  readonly monitor: MonitorMetrics | undefined;
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
  if (sources.monitor !== undefined) tellMonitor(page, sources.monitor);
  return page.text();
}

// There from the start: the first of its kind would otherwise be no increase.
const ROUNDS = { update: 0, declined: 0, abandoned: 0 } as const;
const UPDATES = { accepted: 0, rejected: 0, dropped: 0 } as const;

function tellMonitor(page: Exposition<DeviceMetric>, monitor: MonitorMetrics): void {
  const { quality, missingRatio, dataDrift, isConceptDrifting, alarms } = monitor;
  page.setEach("headwater_quality", "metric", quality);
  page.setEach("headwater_missing_ratio", "column", missingRatio);
  for (const [column, { statistic, isAlarm }] of Object.entries(dataDrift)) {
    page.set("headwater_data_drift_statistic", statistic, { column });
    page.set("headwater_data_drift_alarm", Number(isAlarm), { column });
  }
  page.set(
    "headwater_concept_drift_alarm",
    isConceptDrifting === undefined ? undefined : Number(isConceptDrifting),
  );
  page.setEach("headwater_drift_alarms_total", "kind", alarms);
}
