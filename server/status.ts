// Where the federation stands, for reports and status pages.

import type { Counters } from "../shared/counters.js";
import type { DeviceId, TaskId } from "../shared/id.js";
import type { Task } from "../shared/task/task.js";
import type { RoundKind } from "../shared/wire/message.js";
import type { DeviceView, FleetRegistry } from "./fleet/registry.js";
import type { Learning } from "./model/learning.js";
import type { FinishReason, Member, RoundsState, TrialState } from "./round/state.js";
import type { SelectionPolicy, SelectionState } from "./select/state.js";

/** The open round. */
export interface RoundStatus {
  readonly round: number;
  readonly kind: RoundKind;
  readonly baseVersion: number;
  readonly deadlineMs: number;
  readonly target: number;
  readonly quorum: number;
  readonly isClosing: boolean;
  readonly members: readonly { readonly device: DeviceId; readonly status: Member["status"] }[];
}

/** A version in trial. */
export type TrialStatus = Pick<
  TrialState,
  "version" | "mode" | "step" | "below" | "sinceMs" | "failures" | "failed"
>;

/** Candidates, and how far their comparison has come; no state before the first version. */
export interface SelectionStatus {
  readonly policy: SelectionPolicy;
  readonly excluded: Learning["excluded"];
  readonly state: SelectionState | undefined;
}

/** A snapshot: nothing in it changes later. */
export interface ServerStatus {
  readonly task: TaskId;
  readonly open: RoundStatus | undefined;
  /** Rounds opened so far, of all kinds, and train rounds completed. */
  readonly rounds: number;
  readonly trainRounds: number;
  /** The next train round waits for this time; undefined when it waits for devices, or for nothing. */
  readonly trainFromMs: number | undefined;
  /** Versions; 0 = none yet. */
  readonly head: number;
  readonly stable: number;
  readonly stableValue: number | undefined;
  readonly finished: FinishReason | undefined;
  /** Of the last word on what devices serve. */
  readonly sequence: number;
  /** The task's candidates; undefined without. */
  readonly selection: SelectionStatus | undefined;
  readonly trial: TrialStatus | undefined;
  /** The version that a roll-back without a trial returns to. */
  readonly previous: number | undefined;
  /** The fleet learns anew up to this train round. */
  readonly retrainUntil: number | undefined;
  /** Devices left out of rounds, and why. */
  readonly quarantined: Readonly<Record<DeviceId, string>>;
  /** Every device heard since the start, by id, with why its updates were rejected. */
  readonly devices: readonly DeviceView[];
  readonly counters: Readonly<Record<string, number>>;
}

/** Describes the federation. */
export function describeStatus({
  task,
  state,
  fleet,
  counters,
  selection,
}: {
  readonly task: Task;
  readonly state: RoundsState;
  readonly fleet: FleetRegistry;
  readonly counters: Counters;
  /** Undefined without candidates. */
  readonly selection: Omit<SelectionStatus, "state"> | undefined;
}): ServerStatus {
  return {
    task: task.task,
    open: describeRound(state),
    rounds: state.nextRound - 1,
    trainRounds: state.trainRounds,
    trainFromMs: state.finished === null && state.trainFromMs > 0 ? state.trainFromMs : undefined,
    head: state.head,
    stable: state.stable,
    stableValue: state.stableValue ?? undefined,
    finished: state.finished ?? undefined,
    sequence: state.sequence,
    selection: selection && { ...selection, state: state.selection ?? undefined },
    trial: state.trial ?? undefined,
    previous: state.previous?.version,
    retrainUntil: state.trainRounds < state.retrainUntil ? state.retrainUntil : undefined,
    quarantined: Object.fromEntries([...state.quarantined].map(([device, { reason }]) => [device, reason])),
    devices: fleet.list(),
    counters: counters.toJSON(),
  };
}

function describeRound({ open }: RoundsState): RoundStatus | undefined {
  if (open === null) return undefined;
  const { round, kind, baseVersion, deadlineMs, target, quorum, isClosing } = open;
  const members = [...open.members].map(([device, { status }]) => ({ device, status }));
  return { round, kind, baseVersion, deadlineMs, target, quorum, isClosing, members };
}
