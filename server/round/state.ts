// All that decisions about rounds rest on: plain data, bounded, rebuilt from the journal after a restart.

import type { DeviceId, UpdateId } from "../../shared/id.js";
import type { MetricSums } from "../../shared/model/metric.js";
import type { RoundKind } from "../../shared/wire/message.js";
import type { SelectionState } from "../select/state.js";
import type { BesideScores, TrialFailure } from "./event.js";

/** Stable is to be scored anew. */
interface Rescore {
  /** The version that could be scored while stable had not been: it is judged after it. 0 = none. */
  readonly candidate: number;
}

/** Where a federation stands. Values are never changed in place; equal references mean that nothing happened. */
export interface RoundsState {
  /** Number of the next round; over all kinds, from 1. */
  readonly nextRound: number;
  /** Base of the next round, 0 before there is one. */
  readonly head: number;
  /** What devices serve, 0 before the first gate has passed. */
  readonly stable: number;
  /** Pooled value of `stable` by the gate's metric, from its own evaluate round. */
  readonly stableValue: number | null;
  /** What was served before `stable`. */
  readonly previous: Scored | null;
  /** Of the last word on what devices serve; 0 before the first. */
  readonly sequence: number;
  /** A version that part of the fleet scores or serves before the rest does. */
  readonly trial: TrialState | null;
  /** Passed the gate while another was on trial. */
  readonly queued: Scored | null;
  /** The version whose params head restarts from: stable, before that the first version. */
  readonly root: number;
  /** Newest version made. Versions only grow. */
  readonly lastVersion: number;
  /** What versions were made from, as far as it matters; oldest first. */
  readonly lines: readonly Line[];
  /** Versions that were taken back, while something that may be served comes from them. */
  readonly takenBack: readonly number[];
  /** A version being made outside a round's close; no round opens before it is there. */
  readonly making: Making | null;
  /** Train rounds completed. */
  readonly trainRounds: number;
  /** No train round opens before this time, but to learn anew; 0: nothing but devices is waited for. */
  readonly trainFromMs: number;
  /** Train rounds beyond the task's own, for learning anew. */
  readonly extraRounds: number;
  /** The train round up to which the fleet learns anew; 0 before it ever did. */
  readonly retrainUntil: number;
  /** When it last began to, oldest first; no more than count for the cap per day. */
  readonly retrainedMs: readonly number[];
  /** Event time from which on examples count; null = all. */
  readonly sinceMs: number | null;
  /** Devices left out of rounds. */
  readonly quarantined: ReadonlyMap<DeviceId, Quarantine>;
  /** Stable's value is of before the last change, and has to be found anew before any version is compared with it. */
  readonly rescore: Rescore | null;
  /** The version that waits for its evaluate round, 0 = none. Stable itself when it is to be scored anew. */
  readonly candidate: number;
  /** Failed gates, and abandoned train rounds, in a row. */
  readonly failedGates: number;
  readonly abandonedRounds: number;
  /** Candidates being compared, or how that went; null without candidates, and before the first version. */
  readonly selection: SelectionState | null;
  /** Best value so far by the stop rule's metric, and evaluations since. */
  readonly best: number | null;
  readonly sinceBest: number;
  /** Norms of the deltas folded most recently, oldest first. */
  readonly norms: readonly number[];
  /** Every device that has said hello, up to a bound. */
  readonly fleet: ReadonlyMap<DeviceId, KnownDevice>;
  readonly open: OpenRound | null;
  readonly finished: FinishReason | null;
}

export type FinishReason = "max-rounds" | "target" | "patience";

/** The first version, head going back to the params of version `from`, or the first version of another candidate. */
export type Making =
  | { readonly what: "initial" }
  | { readonly what: "revert"; readonly from: number }
  | { readonly what: "arm"; readonly arm: string; readonly scalerOf: number };

/** Versions of consecutive numbers, each made from the one before; the first from version `from`, 0: from none. */
export interface Line {
  readonly from: number;
  readonly first: number;
  readonly last: number;
}

/** A version and its pooled value by the gate's metric. */
export interface Scored {
  readonly version: number;
  readonly value: number | null;
}

/** A version in trial. */
export interface TrialState extends Scored {
  readonly mode: "shadow" | "canary";
  /** Of the canary, from 0; 0 in shadow. */
  readonly step: number;
  /** A device is in when its place is below this. */
  readonly below: number;
  /** Of this step. */
  readonly sinceMs: number;
  readonly nextCheckMs: number;
  /** Checks that have failed, over all steps. */
  readonly failures: number;
  /** When the last of them did, in this step. */
  readonly lastFailedMs?: number;
  /** Devices that have said that it does not work there, in order. */
  readonly failed?: readonly TrialFailure[];
}

/** Why a device is left out. */
export interface Quarantine {
  readonly reason: string;
  readonly sinceMs: number;
}

/** What a device said about itself in its last hello. */
export interface KnownDevice {
  readonly canTrain: boolean;
  readonly canEvaluate: boolean;
  /** False when it lacks a label that canaries must have. */
  readonly canBeCanary?: boolean;
  /** When it was last heard, to a fraction of the time after which it counts as absent. */
  readonly seenMs: number;
}

/** The round under way. Target, quorum and norm limit are frozen; members are only added as replacements. */
export interface OpenRound {
  readonly round: number;
  readonly kind: RoundKind;
  /** 0 in a fit round. */
  readonly baseVersion: number;
  /** Versions that an evaluate round scores beside its base: the other candidates'. */
  readonly beside?: readonly number[];
  /** The round in whose order devices are asked, when it is not this one. */
  readonly order?: number;
  readonly deadlineMs: number;
  /** Updates that close the round at once. */
  readonly target: number;
  /** Updates that let it close at its deadline. */
  readonly quorum: number;
  /** Greatest norm of a delta; null = no limit yet. */
  readonly normLimit: number | null;
  readonly members: ReadonlyMap<DeviceId, Member>;
  /** Set while its updates are being folded: nothing is admitted any more. */
  readonly isClosing: boolean;
}

/** One device's part in the open round. */
export type Member =
  /** Expected to deliver until its lease runs out. */
  | { readonly status: "assigned"; readonly leaseMs: number; readonly wasOffered: boolean }
  | AcceptedMember
  | LostMember;

/** Its update is in. */
export interface AcceptedMember {
  readonly status: "accepted";
  readonly updateId: UpdateId;
  /** Of the delta; null where there is none. */
  readonly norm: number | null;
  /** Of an evaluate round. */
  readonly sums: MetricSums | null;
  /** Of the versions scored beside its own. */
  readonly beside?: BesideScores;
}

/** No longer waited for. The update of an expired one still counts while the round is open. */
export interface LostMember {
  readonly status: "expired" | "declined" | "rejected";
  readonly reason: string;
  /** Who was asked in its place, null when nobody could be yet; undefined until that was looked into. */
  readonly replacement: DeviceId | null | undefined;
}

/** A federation before its first event. */
export const initialState: RoundsState = {
  nextRound: 1,
  head: 0,
  stable: 0,
  stableValue: null,
  previous: null,
  sequence: 0,
  trial: null,
  queued: null,
  root: 0,
  lastVersion: 0,
  lines: [],
  takenBack: [],
  making: null,
  trainRounds: 0,
  trainFromMs: 0,
  extraRounds: 0,
  retrainUntil: 0,
  retrainedMs: [],
  sinceMs: null,
  rescore: null,
  quarantined: new Map(),
  candidate: 0,
  failedGates: 0,
  abandonedRounds: 0,
  selection: null,
  best: null,
  sinceBest: 0,
  norms: [],
  fleet: new Map(),
  open: null,
  finished: null,
};

/** Members whose updates are in, in bytewise order of device ids: the order in which they are folded. */
export function acceptedMembers(open: OpenRound): (AcceptedMember & { readonly device: DeviceId })[] {
  const accepted: (AcceptedMember & { readonly device: DeviceId })[] = [];
  for (const [device, member] of open.members) {
    if (member.status === "accepted") accepted.push({ ...member, device });
  }
  // Ids are ASCII, so comparing UTF-16 units compares bytes.
  return accepted.sort((a, b) => (a.device < b.device ? -1 : 1));
}

/** Versions that are served, were before, or may be next; 0 where there is none. */
export function versionsInService({ stable, trial, queued, previous }: RoundsState): number[] {
  return [stable, ...[trial, queued, previous].map((each) => each?.version ?? 0)];
}

/** The state as text; `parseState` is the inverse. */
export function stringifyState(state: RoundsState): string {
  return JSON.stringify(state, (_, value: unknown) => (value instanceof Map ? { map: [...value] } : value));
}

/** The state that `stringifyState` wrote. */
export function parseState(text: string): RoundsState {
  // Only our own writing is read here, so its shape is known; an older one lacks what had not happened yet.
  const written = JSON.parse(text, (_, value: unknown) =>
    isWrittenMap(value) ? new Map(value.map) : value,
  ) as RoundsState;
  return { ...initialState, ...written };
}

function isWrittenMap(value: unknown): value is { readonly map: readonly [unknown, unknown][] } {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "map");
}
