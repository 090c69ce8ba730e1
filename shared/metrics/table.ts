// Every metric there is. Code, documentation, dashboards and alert rules use these names and no others.

import { counter, gauge, histogram, type MetricTable } from "./definition.js";

const COLUMNS_MAX = 100;
/** All that a device watches, and what its model says: told together, distances would mean nothing. */
const WATCHED_COLUMNS_MAX = 257;
const EVENTS_MAX = 500;

/** What any of our processes says of itself. */
const processMetrics = {
  headwater_build_info: gauge("Always 1; what is running.", { labels: ["version", "node"] }),
  headwater_events_total: counter("Everything taken, dropped, late, refused or failed, by part and reason.", {
    labels: ["part", "reason"],
    seriesMax: EVENTS_MAX,
  }),
  process_resident_memory_bytes: gauge("Memory of the process in RAM."),
  process_cpu_seconds_total: counter("Processor time of the process, user and system."),
  process_start_time_seconds: gauge("When the process started, since the Unix epoch."),
} satisfies MetricTable;

/** What a device says. Its id is no label: whoever scrapes it knows whom it asks. */
export const deviceMetrics = {
  ...processMetrics,
  headwater_connected: gauge("1 while the connection stands.", { labels: ["link"] }),
  headwater_examples: gauge("Examples stored.", { labels: ["split"] }),
  headwater_unlabelled_rows: gauge("Rows that wait for their label."),
  headwater_pending_updates: gauge("Updates that wait for the server's receipt."),
  headwater_serving_version: gauge("Version that makes the predictions; 0: none."),
  headwater_round: gauge("Round that is worked on; 0: none."),
  headwater_model_info: gauge("Always 1; the version that makes the predictions.", {
    labels: ["version", "sha256"],
  }),
  headwater_checkpoint_age_seconds: gauge(
    "Since the pipeline's state was last saved; none before the first time.",
  ),
  headwater_predictions_total: counter("Predictions made."),
  headwater_prediction_duration_seconds: histogram("Time of the model's answer to rows that came together."),
  headwater_training_duration_seconds: histogram("Time of a training or evaluation job.", {
    labels: ["kind"],
  }),
  headwater_rounds_joined_total: counter("Rounds worked on, by how that ended.", { labels: ["outcome"] }),
  headwater_updates_made_total: counter("Updates made, by what the server said of them.", {
    labels: ["outcome"],
  }),
  headwater_versions_rejected_total: counter("Versions offered that were not served."),
  headwater_quality: gauge("Metrics of the served version on this device's newest labelled rows.", {
    labels: ["metric"],
  }),
  headwater_row_ratio: gauge("Share of rows since the start that lack a value or were refused.", {
    labels: ["fault"],
  }),
  headwater_data_drift_statistic: gauge("Distance of recent rows from the reference, by column.", {
    labels: ["column"],
    seriesMax: WATCHED_COLUMNS_MAX,
  }),
  headwater_data_drift_alarm: gauge("1 while a column drifts.", {
    labels: ["column"],
    seriesMax: WATCHED_COLUMNS_MAX,
  }),
  headwater_concept_drift_alarm: gauge("1 while the errors of the served version drift."),
  headwater_drift_alarms_total: counter("Drifts told of; one that began at another time is another.", {
    labels: ["kind"],
  }),
} satisfies MetricTable;

/** What a server says. Devices are told apart only when asked for. */
export const serverMetrics = {
  ...processMetrics,
  headwater_ready: gauge("1 while devices can be served."),
  headwater_broker_connected: gauge("1 while the broker can be reached."),
  headwater_broker_connections: gauge("Connections to the embedded broker."),
  headwater_broker_received_bytes_total: counter("Received from devices by the embedded broker."),
  headwater_broker_sent_bytes_total: counter("Sent to devices by the embedded broker."),
  headwater_devices: gauge("Devices, by state; one may be in several.", { labels: ["state"] }),
  headwater_round: gauge("Newest round; 0: none yet."),
  headwater_round_open: gauge("1 while a round is open.", { labels: ["kind"] }),
  headwater_round_participants: gauge("Devices in the open round, by status.", { labels: ["status"] }),
  headwater_rounds_total: counter("Rounds closed.", { labels: ["kind", "outcome"] }),
  headwater_round_duration_seconds: histogram("From the opening of a round to its close.", {
    labels: ["kind"],
  }),
  headwater_train_rounds: gauge("Train rounds completed."),
  headwater_train_rounds_limit: gauge("Train rounds after which training ends."),
  headwater_training_finished: gauge("1 when training is over."),
  headwater_updates_total: counter("Updates, by what became of them; a reason when refused.", {
    labels: ["outcome", "reason"],
  }),
  headwater_update_examples_total: counter("Examples behind accepted updates."),
  headwater_versions_total: counter("Versions published.", { labels: ["line"] }),
  headwater_version: gauge("Version of a line; 0: none.", { labels: ["line"] }),
  headwater_quality: gauge("What devices measured of the newest version scored, by metric.", {
    labels: ["metric"],
  }),
  headwater_stable_quality: gauge("Of the version devices serve, by the gate's metric.", {
    labels: ["metric"],
  }),
  headwater_gate_decisions_total: counter("Decisions of the release gate.", { labels: ["outcome"] }),
  headwater_release_sequence: gauge("Of the last word on what devices serve; it only grows."),
  headwater_trial_share_ratio: gauge("Share of devices in the trial of a version; 0: no trial.", {
    labels: ["mode"],
  }),
  headwater_trial_failed_checks: gauge("Checks of the trial that found a problem."),
  headwater_trials_total: counter("Trials ended.", { labels: ["mode", "outcome"] }),
  headwater_quarantined_devices: gauge("Devices whose updates are not asked for."),
  headwater_reporting_devices: gauge("Devices whose last report is not out of date."),
  headwater_drifting_devices: gauge("Of these, devices that report drift; `any`: of data or of errors.", {
    labels: ["kind"],
  }),
  headwater_column_drifting_devices: gauge("Of these, devices where a column drifts.", {
    labels: ["column"],
    seriesMax: COLUMNS_MAX,
  }),
  headwater_fleet_quality: gauge("Of what devices serve, on their newest labelled rows, pooled.", {
    labels: ["metric"],
  }),
  headwater_fleet_row_ratio: gauge("Share of rows that lack a value or were refused, mean of the devices.", {
    labels: ["fault"],
  }),
  headwater_retraining: gauge("1 while the fleet learns anew."),
  headwater_retrains_total: counter("Retrainings begun, by what asked for them.", { labels: ["cause"] }),
  headwater_alerts_total: counter("Alerts, by way and outcome.", { labels: ["way", "outcome"] }),
  headwater_device_connected: gauge("1 while the device is connected. Only with ?devices=N.", {
    labels: ["device"],
    seriesMax: 1000,
  }),
  headwater_device_last_seen_timestamp_seconds: gauge("When it last said hello. Only with ?devices=N.", {
    labels: ["device"],
    seriesMax: 1000,
  }),
  headwater_device_rejected_updates: gauge("Its updates refused since the start. Only with ?devices=N.", {
    labels: ["device"],
    seriesMax: 1000,
  }),
} satisfies MetricTable;

export type DeviceMetric = keyof typeof deviceMetrics;
export type ServerMetric = keyof typeof serverMetrics;
