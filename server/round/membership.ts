// Who is in the open round, who is waited for, and who steps in. Membership only grows, and each device is in
// a round at most once.

import type { DeviceId } from "../../shared/id.js";
import type { Labels, RoundKind } from "../../shared/wire/message.js";
import { hasLabels } from "../../shared/wire/trial.js";
import { shuffleDevices } from "../fleet/selection.js";
import { type Command, chain, type Step, step, tell } from "./command.js";
import type { Policy } from "./policy.js";
import type { KnownDevice, LostMember, Member, OpenRound, RoundsState } from "./state.js";

/** What every part of a decision looks at besides the state. */
export interface Context {
  readonly nowMs: number;
  readonly policy: Policy;
}

/** Devices that a round of `kind` could ask now, in no particular order. */
export function availableDevices(state: RoundsState, kind: RoundKind, context: Context): DeviceId[] {
  const available: DeviceId[] = [];
  for (const [device, known] of state.fleet) {
    const isAble = kind === "evaluate" ? known.canEvaluate : known.canTrain;
    if (
      isAble &&
      isPresent(known, context) &&
      !state.quarantined.has(device) &&
      !state.open?.members.has(device)
    )
      available.push(device);
  }
  return available;
}

/** True for a device that was heard lately. */
export function isPresent({ seenMs }: KnownDevice, { nowMs, policy }: Context): boolean {
  return nowMs - seenMs < policy.absentMs;
}

/** Remembers what a device said about itself. Unchanged when it said so a moment ago. */
export function meetDevice(
  state: RoundsState,
  device: DeviceId,
  said: { readonly canTrain: boolean; readonly canEvaluate: boolean; readonly labels: Labels },
  { nowMs, policy }: Context,
): RoundsState {
  const canBeCanary = hasLabels(said.labels ?? {}, policy.rollout.canary?.labels ?? {});
  const known = state.fleet.get(device);
  const isNews =
    known === undefined ||
    known.canTrain !== said.canTrain ||
    known.canEvaluate !== said.canEvaluate ||
    (known.canBeCanary ?? true) !== canBeCanary ||
    nowMs - known.seenMs >= policy.absentMs / 8;
  if (!isNews) return state;
  const fleet = new Map(state.fleet);
  if (known === undefined && fleet.size >= policy.maxDevices) {
    const evicted = longestAbsent(state);
    if (evicted === undefined) return state;
    fleet.delete(evicted);
  }
  const { canTrain, canEvaluate } = said;
  fleet.set(device, { canTrain, canEvaluate, canBeCanary, seenMs: nowMs });
  return { ...state, fleet };
}

function longestAbsent(state: RoundsState): DeviceId | undefined {
  let longest: DeviceId | undefined;
  let seenMs = Number.POSITIVE_INFINITY;
  for (const [device, known] of state.fleet) {
    if (known.seenMs < seenMs && !state.open?.members.has(device)) {
      longest = device;
      seenMs = known.seenMs;
    }
  }
  return longest;
}

/** The member, with the open round it is in. */
export function memberOf(
  state: RoundsState,
  device: DeviceId,
): { readonly open: OpenRound; readonly member: Member } | undefined {
  const member = state.open?.members.get(device);
  return state.open === null || member === undefined ? undefined : { open: state.open, member };
}

/** The state with one member of its open round changed or added. */
export function withMember(state: RoundsState, device: DeviceId, member: Member): RoundsState {
  if (state.open === null) return state;
  const members = new Map(state.open.members).set(device, member);
  return { ...state, open: { ...state.open, members } };
}

/** A member that will not deliver. Does nothing to one that has, or that was lost before. */
export function loseMember(
  state: RoundsState,
  device: DeviceId,
  loss: Pick<LostMember, "status" | "reason">,
): RoundsState {
  const member = state.open?.members.get(device);
  if (member?.status === "expired") return withMember(state, device, { ...member, ...loss });
  if (member?.status !== "assigned") return state;
  return withMember(state, device, { ...loss, replacement: undefined });
}

/** A member's upload moves: its lease starts anew, when a good part of it is used up. */
export function renewLease(state: RoundsState, device: DeviceId, { nowMs, policy }: Context): RoundsState {
  const { leaseMs } = policy.rounds;
  const member = state.open?.members.get(device);
  if (member?.status !== "assigned" || !isLeaseDue(state, device, { nowMs, leaseMs })) return state;
  return withMember(state, device, { ...member, leaseMs: nowMs + leaseMs });
}

/** True when `renewLease` would: asked for every chunk, so that few of them become events. */
export function isLeaseDue(
  state: RoundsState,
  device: DeviceId,
  { nowMs, leaseMs }: { readonly nowMs: number; readonly leaseMs: number },
): boolean {
  const member = state.open?.members.get(device);
  return member?.status === "assigned" && nowMs + leaseMs - member.leaseMs >= leaseMs / 4;
}

/** Members whose lease has run out are waited for no longer. */
export function expireLeases(state: RoundsState, { nowMs }: Context): Step {
  if (state.open === null || state.open.isClosing) return step(state);
  let next = state;
  for (const [device, member] of state.open.members) {
    if (member.status === "assigned" && member.leaseMs <= nowMs) {
      next = loseMember(next, device, { status: "expired", reason: "lease" });
    }
  }
  return step(next);
}

/** Asks another device in place of every lost member that has none yet, as far as there are any. */
export function replaceLost(state: RoundsState, context: Context): Step {
  const { open } = state;
  if (open === null || open.isClosing || open.deadlineMs <= context.nowMs) return step(state);
  const wanting = [...open.members].flatMap(([device, member]) =>
    isLost(member) && typeof member.replacement !== "string" ? [{ device, member }] : [],
  );
  if (wanting.length === 0) return step(state);
  const { policy } = context;
  const available = availableDevices(state, open.kind, context);
  const pool = shuffleDevices(available, policy.seed, open.order ?? open.round);
  const replacements = wanting.map(
    ({ device, member }, at) =>
      (next: RoundsState) =>
        replaceMember(next, { device, member, by: pool[at] }, context),
  );
  return chain(step(state), ...replacements);
}

interface Replacement {
  readonly device: DeviceId;
  readonly member: LostMember;
  readonly by: DeviceId | undefined;
}

function replaceMember(state: RoundsState, { device, member, by }: Replacement, context: Context): Step {
  // Told already that nobody is there.
  if (by === undefined && member.replacement === null) return step(state);
  const marked = withMember(state, device, { ...member, replacement: by ?? null });
  const round = state.open?.round ?? 0;
  const told = tell({ type: "member-replaced", round, device, by, reason: member.reason });
  if (by === undefined) return step(marked, { commands: [told] });
  const commands: Command[] = [told, { type: "offer", device: by }];
  return step(withMember(marked, by, assigned(context)), { commands });
}

/** A member from now on. */
export function assigned({ nowMs, policy }: Context): Member {
  return { status: "assigned", leaseMs: nowMs + policy.rounds.leaseMs, wasOffered: false };
}

function isLost(member: Member): member is LostMember {
  return member.status !== "assigned" && member.status !== "accepted";
}

/** True while the member may still deliver, in time or late. */
export function isUnsettled(member: Member): boolean {
  return member.status === "assigned" || member.status === "expired";
}
