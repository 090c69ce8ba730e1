// Where a selection between candidates stands: plain data, part of the state of rounds.

import type { MetricName } from "../../shared/task/task.js";

/** Candidates ("arms") under comparison, and what became of it. */
export interface SelectionState {
  /** From 0. */
  readonly rung: number;
  /** Of those within the task's limits, by name. */
  readonly arms: readonly ArmState[];
  /** Each arm trains once per turn, with the same devices: as far as they are there, those of this round. */
  readonly turn: { readonly tries: number; readonly round: number };
  /** Evaluate rounds of this rung that came to nothing. */
  readonly unscored: number;
  /** Null while it is under way. */
  readonly winner: string | null;
}

/** One candidate. */
export interface ArmState {
  readonly name: string;
  /** Its first version and its newest; 0 before there is one. */
  readonly first: number;
  readonly head: number;
  /** Train rounds completed, and those that have ended in this rung, whatever came of them. */
  readonly rounds: number;
  readonly tries: number;
  /** Norms of its deltas folded most recently, oldest first. */
  readonly norms: readonly number[];
  /** Why it is out; null while it is in. */
  readonly out: string | null;
  /** One per rung it was scored in. */
  readonly scores: readonly ArmScore[];
}

/** A candidate's score at the end of a rung. Null: there is no number. */
export interface ArmScore {
  readonly rung: number;
  readonly version: number;
  readonly rounds: number;
  /** Devices compared on, and rows of all that scored. */
  readonly devices: number;
  readonly rows: number;
  /** The metric pooled, and as good as this or better on nine devices of ten. */
  readonly value: number | null;
  readonly worst: number | null;
  /** Mean time to score a row on the devices, microseconds. */
  readonly latencyUs: number | null;
  /** How much worse than the last one that was sure to go on, paired by device; null for those, and for want of devices. */
  readonly behind: { readonly mean: number; readonly low: number; readonly high: number } | null;
}

/** The rules, beside those of rounds. Plain JSON. */
export interface SelectionPolicy {
  readonly arms: readonly ArmPolicy[];
  readonly rungs: readonly number[];
  readonly eta: number;
  readonly metric: MetricName;
  readonly latencyMs: number | undefined;
}

/** What is known of a candidate before it is trained. */
export interface ArmPolicy {
  readonly name: string;
  readonly parameters: number;
  /** Of its params on the wire. */
  readonly bytes: number;
}

/** Arms that are in. */
export function aliveArms({ arms }: SelectionState): readonly ArmState[] {
  return arms.filter(({ out }) => out === null);
}

/** The selection with one arm changed. */
export function withArm(selection: SelectionState, name: string, changes: Partial<ArmState>): SelectionState {
  const arms = selection.arms.map((arm) => (arm.name === name ? { ...arm, ...changes } : arm));
  return { ...selection, arms };
}
