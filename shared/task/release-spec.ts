// `rollout` and `monitor` in parsed form: how a version comes to be served by all, and how devices watch it.

import type { DetectorCall } from "../drift/concept/registry.js";

/** Precision, recall and F1 are those of label 1, at a probability of 0.5. */
export type MetricName = "rmse" | "mae" | "accuracy" | "precision" | "recall" | "f1" | "loss";

export interface RolloutSpec {
  /** A candidate worse than stable by more than this fraction stays out. */
  readonly gate: { readonly metric: MetricName; readonly maxRegression: number };
  /** After this many failed gates in a row, head returns to stable. */
  readonly revertAfter: number;
  /** Undefined: none. */
  readonly shadow: ShadowSpec | undefined;
  /** Undefined: what passes the gate is served by all at once. */
  readonly canary: CanarySpec | undefined;
  readonly guard: GuardSpec;
}

/** A candidate is scored on devices beside what they serve, without being served. */
export interface ShadowSpec {
  readonly share: number;
  /** Labelled rows wanted, pooled over devices. */
  readonly rows: number;
  /** After this long without them the candidate has failed. */
  readonly forMs: number;
}

/** A part of the fleet serves a candidate before the rest does. */
export interface CanarySpec {
  /** Each larger than the one before; after the last, all. */
  readonly steps: readonly CanaryStep[];
  /** Only devices with all these labels are canaries; none: any device. */
  readonly labels: Readonly<Record<string, string>>;
  /** Least time of a step. */
  readonly soakMs: number;
  /** Labelled rows wanted of each step: of each of its devices, its share. */
  readonly rows: number;
}

/** How much of the fleet: a number of devices, or a share of those that are there. */
export type CanaryStep =
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "share"; readonly share: number };

/** What takes a version in trial back. A check without enough to judge by has failed, once the soak time is over. */
export interface GuardSpec {
  /** How often a trial is judged. */
  readonly checkMs: number;
  /** Worse than stable on the same rows, by the gate's metric, by more than this fraction. */
  readonly maxRegression: number;
  /** Share of predictions that are no finite numbers. */
  readonly invalid: number;
  /** Times stable's mean time per prediction. */
  readonly latency: number;
  /** A device in trial without a report for this long is silent. */
  readonly silentMs: number;
  /** Share of the devices in trial that may be silent. */
  readonly silentShare: number;
  /** Share of the devices in trial: when it does not work on so many, the trial ends at once. */
  readonly failedShare: number;
  /** Failed checks of one trial after which it is over. */
  readonly failures: number;
}

/** How devices watch their model and their data, and what the fleet makes of it. */
export interface MonitorSpec {
  /** Labelled rows that the metrics of a report are about: the newest. */
  readonly window: number;
  /** Watches the error of predictions; undefined: nothing does. */
  readonly concept: DetectorCall | undefined;
  /** Watches columns and predictions; undefined: nothing does. */
  readonly data: DataDriftSpec | undefined;
  /** Period of what comes and goes with the time of day, week or shift; undefined: none. */
  readonly seasonMs: number | undefined;
  /** How often a device reports. */
  readonly reportMs: number;
  readonly limits: readonly MetricLimit[];
  /** Undefined: a breach is shown, and changes nothing. */
  readonly retrain: RetrainSpec | undefined;
  /** Undefined: no device is set aside. */
  readonly quarantine: QuarantineSpec | undefined;
}

/** How windows of a column are compared with the column as it was when the model came. */
export interface DataDriftSpec {
  readonly test: "ks" | "psi";
  /** Rows of one window. */
  readonly rows: number;
  /** Rate of false alarms over all columns of a window (Benjamini and Hochberg 1995). */
  readonly alpha: number;
  /** Smaller shifts of numbers are none: Wasserstein distance in standard deviations of the reference. */
  readonly effect: number;
  /** Windows in a row that must say so. */
  readonly windows: number;
}

/** A metric of a window, and what it must not pass. */
export interface MetricLimit {
  readonly metric: MetricName;
  /** The worst value that is still well: a greatest error, a least accuracy. */
  readonly worst: number;
}

/** When the fleet learns anew by itself. */
export interface RetrainSpec {
  readonly when: readonly ("drift" | "limits")[];
  /** Of the devices that report: so many must say so. */
  readonly share: number;
  /** Least time from one retraining to the next. */
  readonly cooldownMs: number;
  readonly perDay: number;
  /** Train rounds of each. */
  readonly rounds: number;
}

/** When a device that drifts alone is left out of rounds. */
export interface QuarantineSpec {
  /** It has drifted for this long. */
  readonly afterMs: number;
  /** Most of the fleet that may be set aside. */
  readonly share: number;
}
