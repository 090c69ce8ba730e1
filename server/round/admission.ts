// Whether an update may count: what the round says to it, then what its content says.

import type { RejectionReason } from "../../shared/wire/message.js";
import { type Command, chain, type Step, step, tell, type Word, type Write } from "./command.js";
import type { Announcement, Verdict } from "./event.js";
import { loseMember, memberOf, withMember } from "./membership.js";
import { RECEIPT_ROUNDS } from "./policy.js";
import type { RoundsState } from "./state.js";

/** Why the round refuses such an update, whatever it contains; undefined when it does not. */
export function refusalOf(state: RoundsState, update: Announcement): RejectionReason | undefined {
  const { round, device, updateId, kind, baseVersion } = update;
  if (round >= state.nextRound || round < 1 || round < state.nextRound - RECEIPT_ROUNDS)
    return "unknown-round";
  if (state.open === null || state.open.round !== round || state.open.isClosing) return "round-closed";
  const member = state.open.members.get(device);
  if (member === undefined) return "not-selected";
  if (kind !== undefined && kind !== state.open.kind) return "wrong-kind";
  if (baseVersion !== undefined && baseVersion !== state.open.baseVersion) return "stale-base-version";
  if (member.status === "accepted" && member.updateId !== updateId) return "conflicting-update";
  return undefined;
}

/** The server's word on an update, and what it means for the round. */
export function settleUpdate(state: RoundsState, update: Announcement & { readonly verdict: Verdict }): Step {
  const { verdict } = update;
  // The word has been given already; whoever asks again gets it from where it is kept.
  const member = state.open?.members.get(update.device);
  if (member?.status === "accepted" && member.updateId === update.updateId) return step(state);
  const refusal =
    refusalOf(state, update) ?? (verdict.ok ? normRefusal(state, verdict.norm) : verdict.reason);
  if (refusal !== undefined || !verdict.ok) return reject(state, update, refusal ?? "malformed");
  return accept(state, update, verdict);
}

function normRefusal(state: RoundsState, norm: number | null): RejectionReason | undefined {
  const limit = state.open?.normLimit ?? Number.POSITIVE_INFINITY;
  return norm !== null && norm > limit ? "norm-too-large" : undefined;
}

function accept(state: RoundsState, update: Announcement, verdict: Verdict & { readonly ok: true }): Step {
  const { device, round, updateId } = update;
  const place = memberOf(state, device);
  if (place === undefined) return step(state);
  const { kind } = place.open;
  const { examples, norm, sums, beside } = verdict;
  const word: Word = { device, updateId, round, status: "accepted", reason: null };
  return step(
    withMember(state, device, { status: "accepted", updateId, norm, sums, ...(beside && { beside }) }),
    {
      writes: [
        { type: "update", round, kind, device, updateId },
        { type: "word", word },
      ],
      commands: [
        tell({ type: "update-accepted", round, kind, device, updateId, examples }),
        { type: "word", word },
      ],
    },
  );
}

function reject(state: RoundsState, update: Announcement, reason: RejectionReason): Step {
  const { device, round, updateId } = update;
  const word: Word = { device, updateId, round, status: "rejected", reason };
  const commands: Command[] = [
    tell({ type: "update-rejected", round, device, updateId, reason }),
    { type: "word", word },
  ];
  const spoken = step(state, { writes: isKept(reason) ? writesFor(word) : [], commands });
  return chain(spoken, (next) => {
    const isCurrent = next.open?.round === round && !next.open.isClosing;
    // Who did not sign as the device may not be it: that must not cost the device its place.
    if (!isCurrent || reason === "bad-signature") return step(next);
    return step(loseMember(next, device, { status: "rejected", reason }));
  });
}

function writesFor(word: Word): Write[] {
  const { device, updateId } = word;
  return [
    { type: "drop-upload", device, updateId },
    { type: "word", word },
  ];
}

// These follow from what is remembered anyway, and without bound: for any round number, for any name.
function isKept(reason: RejectionReason): boolean {
  return reason !== "unknown-round" && reason !== "unknown-device";
}
