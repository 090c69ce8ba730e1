// What a simulation reports: the object `headwater simulate --json` prints.

import { gainOver } from "../shared/model/metric.js";
import type { EngineName } from "../shared/model/runtime.js";
import type { MetricName } from "../shared/task/task.js";
import type { DriftReport } from "./loop/drift-report.js";

/** One train round. */
export interface RoundReport {
  /** Train rounds, from 1. */
  readonly round: number;
  /** The candidate it trained; absent for a task without. */
  readonly arm?: string;
  /** The metric of the round's version on the test set; null when the round was abandoned or the model diverged. */
  readonly value: number | null;
  readonly accepted: number;
  readonly rejected: number;
  /** Payloads and topics of everything sent until the next train round opened. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** One candidate, by its last comparison on the devices' held-out rows. */
export interface CandidateReport {
  readonly name: string;
  readonly isWinner: boolean;
  /** Why it went out; null for the winner. */
  readonly out: string | null;
  /** Train rounds it had had, completed. */
  readonly rounds: number;
  readonly value: number | null;
  /** As good as this or better on nine devices of ten. */
  readonly worst: number | null;
  /** To score a row, on the devices' clocks: in a simulation, what its cost model says. */
  readonly latencyUs: number | null;
  /** Null when it was beyond the limits, and not tried. */
  readonly parameters: number | null;
  /** Sent in its train rounds and until the next one opened. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** A selection that has ended, or got as far as this. */
export interface SelectionReport {
  readonly metric: MetricName;
  readonly winner: string | null;
  readonly candidates: readonly CandidateReport[];
}

/** A simulation's result. Same task, data and options, same report but for `seconds`. */
export interface SimulationReport {
  readonly task: string;
  readonly seed: string;
  readonly engine: EngineName;
  readonly devices: number;
  readonly metric: MetricName;
  readonly rounds: readonly RoundReport[];
  /** What became of the updates of all rounds, those of fit and evaluate rounds included. */
  readonly updates: { readonly accepted: number; readonly rejected: number; readonly duplicate: number };
  /** The last version on the test set; null when it diverged. */
  readonly federated: number | null;
  /** All that the last version's test rows say, by name; what has no value is left out. */
  readonly metrics: Partial<Readonly<Record<MetricName, number>>>;
  /** Every device alone, as many local steps, pooled; null when not asked for or when a device diverged. */
  readonly localOnly: number | null;
  /** Devices that took part in the federation and so were trained alone. */
  readonly localDevices: number;
  /** Devices whose lone training ended in numbers that are none. */
  readonly diverged: readonly string[];
  /** Persistence, the majority class, or the mean label; null when there is nothing to compare. */
  readonly naive: number | null;
  readonly naiveRule: "persistence" | "majority" | "mean";
  readonly testRows: number;
  /** Predictions the devices made by themselves, with the version they served. */
  readonly predictions: number;
  readonly stopped: "max-rounds" | "target" | "patience";
  /** SHA-256 of the last version's blob. */
  readonly modelHash: string;
  /** How the task's candidates did; absent for a task without. */
  readonly selection?: SelectionReport;
  readonly counters: { readonly server: Record<string, number>; readonly devices: Record<string, number> };
  /** Of a task with a monitor whose telemetry streams in. */
  readonly drift?: DriftReport;
  readonly seconds: number;
}

/** The last version's other metrics in one line, such as "precision 0.95, recall 0.99"; empty when there is none. */
export function otherMetrics({ metric, metrics }: SimulationReport): string {
  return Object.entries(metrics)
    .filter(([name]) => name !== metric)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(", ");
}

/** How much better `value` is than `reference`, in percent; undefined when either is missing. */
export function improvementPercent(
  metric: MetricName,
  value: number | null,
  reference: number | null,
): number | undefined {
  if (value === null || reference === null || reference === 0) return undefined;
  return (100 * gainOver(metric, value, reference)) / Math.abs(reference);
}
