// A server's metrics as a page for Prometheus.

import { Exposition } from "../../shared/metrics/exposition.js";
import { tellProcess } from "../../shared/metrics/process.js";
import { type ServerMetric, serverMetrics } from "../../shared/metrics/table.js";
import { describeDevices } from "../http/device-list.js";
import type { StatusView } from "../http/schema.js";
import { type ApiSources, describeServer } from "../http/views.js";
import type { FleetMetrics } from "./fleet.js";
import type { ServerMeter } from "./meter.js";

/** Alerts that met one end on one way. */
export interface AlertCount {
  readonly way: string;
  readonly outcome: string;
  readonly count: number;
}

export interface ServerMetricsSources {
  readonly api: ApiSources;
  readonly meter: ServerMeter;
  readonly fleet: FleetMetrics;
  readonly alerts: readonly AlertCount[];
  /** Devices told apart; 0: none. */
  readonly devices: number;
}

type Page = Exposition<ServerMetric>;

/** The page as text. */
export function renderServerMetrics({ api, meter, fleet, alerts, devices }: ServerMetricsSources): string {
  const page: Page = new Exposition(serverMetrics);
  const status = describeServer(api);
  tellProcess(page, { version: status.version, startedMs: status.startedMs, counters: status.counters });
  tellStatus(page, status);
  tellRound(page, status);
  tellMeter(page, meter);
  tellFleet(page, fleet);
  for (const { way, outcome, count } of alerts) page.set("headwater_alerts_total", count, { way, outcome });
  if (devices > 0) tellDevices(page, api, devices);
  return page.text();
}

function tellStatus(page: Page, status: StatusView): void {
  const { broker, fleet, metric, stableValue } = status;
  page.set("headwater_ready", Number(status.isReady));
  page.set("headwater_broker_connected", Number(broker.isConnected));
  page.set("headwater_broker_connections", broker.connections);
  page.set("headwater_broker_received_bytes_total", broker.bytesUp);
  page.set("headwater_broker_sent_bytes_total", broker.bytesDown);
  page.setEach("headwater_devices", "state", fleet);
  page.set("headwater_train_rounds", status.trainRounds);
  page.set("headwater_train_rounds_limit", status.trainRoundsMax);
  page.set("headwater_training_finished", Number(status.finished !== undefined));
  page.set("headwater_stable_quality", stableValue, { metric });
}

function tellRound(page: Page, { open, rounds }: StatusView): void {
  page.set("headwater_round", rounds);
  const kinds = { fit: 0, train: 0, evaluate: 0 };
  page.setEach("headwater_round_open", "kind", open === undefined ? kinds : { ...kinds, [open.kind]: 1 });
  const statuses: Record<string, number> = { assigned: 0, accepted: 0, expired: 0, declined: 0, rejected: 0 };
  for (const { status } of open?.members ?? []) statuses[status] = (statuses[status] ?? 0) + 1;
  page.setEach("headwater_round_participants", "status", statuses);
}

function tellMeter(page: Page, meter: ServerMeter): void {
  // There from the start: the first of its kind would otherwise be no increase.
  for (const { words, count } of [...ROUNDS, ...meter.rounds.values()]) {
    page.set("headwater_rounds_total", count, { kind: words[0], outcome: words[1] });
  }
  for (const { words, count } of [...UPDATES, ...meter.updates.values()]) {
    page.set("headwater_updates_total", count, { outcome: words[0], reason: words[1] });
  }
  for (const [kind, histogram] of meter.durations) {
    page.buckets("headwater_round_duration_seconds", histogram.snapshot(), { kind });
  }
  page.set("headwater_update_examples_total", meter.examples);
  page.setEach("headwater_versions_total", "line", { head: 0, stable: 0, ...meter.versions.toJSON() });
  page.setEach("headwater_gate_decisions_total", "outcome", { passed: 0, failed: 0, ...meter.gate.toJSON() });
  page.setEach("headwater_quality", "metric", meter.quality);
  for (const { words, count } of [...TRIALS, ...meter.trials.values()]) {
    page.set("headwater_trials_total", count, { mode: words[0], outcome: words[1] });
  }
  page.setEach("headwater_retrains_total", "cause", { ...RETRAINS, ...meter.retrains.toJSON() });
}

const ROUNDS = none(["fit", "train", "evaluate"], ["completed", "abandoned"]);
const UPDATES = [...none(["accepted"], [""]), ...none(["rejected"], ["storage-full"])];
const TRIALS = none(["shadow", "canary"], ["promoted", "rolled-back"]);
const RETRAINS = { drift: 0, limits: 0, operator: 0 } as const;

function none(first: readonly string[], second: readonly string[]) {
  return first.flatMap((one) => second.map((other) => ({ words: [one, other] as const, count: 0 })));
}

function tellFleet(page: Page, fleet: FleetMetrics): void {
  page.setEach("headwater_version", "line", fleet.versions);
  page.set("headwater_release_sequence", fleet.sequence);
  page.setEach("headwater_trial_share_ratio", "mode", fleet.trialShare);
  page.set("headwater_trial_failed_checks", fleet.trialFailures);
  page.set("headwater_quarantined_devices", fleet.quarantined);
  page.set("headwater_reporting_devices", fleet.reporting);
  page.setEach("headwater_drifting_devices", "kind", fleet.drifting);
  page.setEach("headwater_column_drifting_devices", "column", fleet.driftingColumns);
  page.setEach("headwater_fleet_quality", "metric", fleet.quality);
  page.setEach("headwater_fleet_row_ratio", "fault", fleet.rowShares);
  page.set("headwater_retraining", Number(fleet.isRetraining));
}

function tellDevices(page: Page, api: ApiSources, limit: number): void {
  for (const { device, isConnected, seenMs, rejected } of describeDevices(api, { limit }).devices) {
    const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0);
    page.set("headwater_device_connected", Number(isConnected), { device });
    page.set("headwater_device_rejected_updates", refused, { device });
    if (seenMs === undefined) continue;
    page.set("headwater_device_last_seen_timestamp_seconds", seenMs / 1000, { device });
  }
}
