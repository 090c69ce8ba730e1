// A run in one line of numbers: the object `headwater quickstart --json` prints.

import type { MetricName } from "../shared/task/task.js";
import type { SimulationReport } from "./report.js";

/** What a run came to. Null where there is nothing to compare, or numbers that are none. */
export interface RunSummary {
  /** Train rounds. */
  readonly rounds: number;
  readonly metric: MetricName;
  readonly federated: number | null;
  readonly localOnly: number | null;
  readonly naive: number | null;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly updates: SimulationReport["updates"];
  readonly seconds: number;
}

/** Sums a report up. */
export function summarise(report: SimulationReport): RunSummary {
  const { rounds, metric, federated, localOnly, naive, updates, seconds } = report;
  const bytes = { bytesUp: total(rounds, "bytesUp"), bytesDown: total(rounds, "bytesDown") };
  return { rounds: rounds.length, metric, federated, localOnly, naive, ...bytes, updates, seconds };
}

/** Bytes of all rounds in one direction. */
export function total(rounds: SimulationReport["rounds"], key: "bytesUp" | "bytesDown"): number {
  return rounds.reduce((sum, round) => sum + round[key], 0);
}
