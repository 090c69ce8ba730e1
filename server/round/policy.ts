// The rules of a federation: the task's own, and bounds of ours.

import { needsFit } from "../../shared/pipeline/scaler.js";
import type { EvaluateSpec, MonitorSpec, RolloutSpec, RoundsSpec, Task } from "../../shared/task/task.js";
import type { ArmPolicy, SelectionPolicy } from "../select/state.js";

/** Everything a decision depends on besides state and event. Plain JSON: the journal keeps it. */
export interface Policy {
  /** Root of all chance. */
  readonly seed: string;
  /** The scaler is fitted by the fleet before the first train round. */
  readonly needsFit: boolean;
  readonly rounds: RoundsSpec;
  readonly evaluate: EvaluateSpec;
  readonly rollout: RolloutSpec;
  readonly monitor: MonitorSpec | undefined;
  /** Undefined without candidates. */
  readonly selection?: SelectionPolicy | undefined;
  /** When a device without work says hello again: soon enough to learn of a lost offer within its lease. */
  readonly retryMs: number;
  /** A device not heard for this long is not asked. */
  readonly absentMs: number;
  /** Devices remembered; the longest absent makes room. */
  readonly maxDevices: number;
}

/** Words on updates are kept for this many rounds. */
export const RECEIPT_ROUNDS = 64;
/** Versions kept besides head, stable and their parents. */
export const VERSIONS_KEPT = 8;
/** A delta this many times longer than the recent median is refused. */
export const NORM_FACTOR = 10;
/** Fewer norms than this say nothing about what is usual. */
export const NORM_SAMPLES_MIN = 20;
/** Most recent norms remembered. */
export const NORM_SAMPLES_MAX = 256;

/** How often a device calls, at least, between two rounds that the task keeps apart. */
const CALLS_PER_ROUND = 20;

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** The rules of `task`. */
export function policyOf(
  task: Task,
  {
    arms = [],
    ...options
  }: {
    readonly seed: string;
    readonly maxDevices: number;
    /** Candidates within the task's limits. */
    readonly arms?: readonly ArmPolicy[];
  },
): Policy {
  const { rounds, evaluate, rollout, monitor } = task;
  // Where rounds are rare, so are calls.
  const retryMaxMs = Math.max(MINUTE_MS, Math.floor(rounds.everyMs / CALLS_PER_ROUND));
  const retryMs = Math.min(Math.max(Math.floor(rounds.leaseMs / 2), SECOND_MS), retryMaxMs);
  return {
    ...options,
    needsFit: needsFit(task),
    rounds,
    evaluate,
    rollout,
    monitor,
    selection: selectionOf(task, arms),
    retryMs,
    // A member may be silent from offer to deadline, and then through a lost hello or two.
    absentMs: 2 * Math.max(rounds.deadlineMs, evaluate.deadlineMs) + 3 * retryMs,
  };
}

function selectionOf({ select }: Task, arms: readonly ArmPolicy[]): SelectionPolicy | undefined {
  // Who decides without knowing the models compares none.
  if (select === undefined || arms.length === 0) return undefined;
  const { rungs, eta, metric, limits } = select;
  return { arms, rungs, eta, metric, latencyMs: limits.latencyMs };
}
