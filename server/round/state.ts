// All that decisions about rounds rest on: plain data, bounded, rebuilt from the journal after a restart.

import type { DeviceId, UpdateId } from "../../shared/id.js";
import type { MetricSums } from "../../shared/model/metric.js";
import type { RoundKind } from "../../shared/wire/message.js";

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
  /** The version whose params head restarts from: stable, before that the first version. */
  readonly root: number;
  /** Newest version made. Versions only grow. */
  readonly lastVersion: number;
  /** A version being made outside a round's close; no round opens before it is there. */
  readonly making: Making | null;
  /** Train rounds completed. */
  readonly trainRounds: number;
  /** The version that waits for its evaluate round, 0 = none. */
  readonly candidate: number;
  /** Failed gates, and abandoned train rounds, in a row. */
  readonly failedGates: number;
  readonly abandonedRounds: number;
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

/** The first version, or head going back to the params of version `from`. */
export type Making = { readonly what: "initial" } | { readonly what: "revert"; readonly from: number };

/** What a device said about itself in its last hello. */
export interface KnownDevice {
  readonly canTrain: boolean;
  readonly canEvaluate: boolean;
  /** When it was last heard, to a fraction of the time after which it counts as absent. */
  readonly seenMs: number;
}

/** The round under way. Target, quorum and norm limit are frozen; members are only added as replacements. */
export interface OpenRound {
  readonly round: number;
  readonly kind: RoundKind;
  /** 0 in a fit round. */
  readonly baseVersion: number;
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
  root: 0,
  lastVersion: 0,
  making: null,
  trainRounds: 0,
  candidate: 0,
  failedGates: 0,
  abandonedRounds: 0,
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

/** The state as text; `parseState` is the inverse. */
export function stringifyState(state: RoundsState): string {
  return JSON.stringify(state, (_, value: unknown) => (value instanceof Map ? { map: [...value] } : value));
}

/** The state that `stringifyState` wrote. */
export function parseState(text: string): RoundsState {
  // Only our own writing is read here, so its shape is known.
  return JSON.parse(text, (_, value: unknown) =>
    isWrittenMap(value) ? new Map(value.map) : value,
  ) as RoundsState;
}

function isWrittenMap(value: unknown): value is { readonly map: readonly [unknown, unknown][] } {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "map");
}
