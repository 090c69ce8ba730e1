// How a round ends: at its target, when nobody is left to wait for, or at its deadline; never later.

import { emptyMetricSums, mergeMetricSums } from "../../shared/model/metric.js";
import type { AbandonedWhy } from "../fact.js";
import { chain, type Step, step, tell, type Write } from "./command.js";
import type { RoundEnding } from "./history.js";
import { foldedUpdates, pendingMake } from "./making.js";
import type { Context } from "./membership.js";
import { RECEIPT_ROUNDS } from "./policy.js";
import { adoptRoot, adoptTrained, judgeCandidate, noteAbandoned, skipEvaluation } from "./progression.js";
import { adoptArmTrained, isSelecting, judgeRung, noteFruitless } from "./selecting.js";
import { acceptedMembers, type Member, type OpenRound, type RoundsState } from "./state.js";

/** Closes or abandons the open round when its time has come. */
export function endRound(state: RoundsState, context: Context): Step {
  const { open } = state;
  if (open === null || open.isClosing) return step(state);
  const members = [...open.members.values()];
  const accepted = members.filter(({ status }) => status === "accepted").length;
  const isSettled = members.every(({ status }) => status !== "assigned");
  const isOver = context.nowMs >= open.deadlineMs;
  const hasQuorum = accepted >= open.quorum;
  if (isPointless(state, open)) return abandonRound(state, open, "not-wanted", context);
  if (accepted >= open.target || (hasQuorum && (isSettled || isOver)))
    return closeRound(state, open, context);
  if (isOver) return abandonRound(state, open, "deadline", context);
  return isHopeless(open) ? abandonRound(state, open, "nobody-can", context) : step(state);
}

/** The version it scores is not wanted any more: it was taken back, or stable is to be scored first. */
function isPointless(state: RoundsState, { kind, baseVersion }: OpenRound): boolean {
  return kind === "evaluate" && !isSelecting(state) && baseVersion !== state.candidate;
}

/**
 * No quorum can come of those who might still deliver, and everybody who could take a place has been asked. Training waits: who
 * is not ready yet may be in a while; scores do not come of waiting, and hold the training up.
 */
function isHopeless({ kind, members, quorum }: OpenRound): boolean {
  if (kind !== "evaluate") return false;
  const possible = [...members.values()].filter(({ status }) => status === "accepted" || isWaitedFor(status));
  return possible.length < quorum;
}

/** An expired one may still come, as long as the round is open. */
function isWaitedFor(status: Member["status"]): boolean {
  return status === "assigned" || status === "expired";
}

function closeRound(state: RoundsState, open: OpenRound, context: Context): Step {
  if (open.kind === "evaluate") return closeEvaluation(state, open, context);
  const closing = { ...state, open: { ...open, isClosing: true } };
  const command = pendingMake(closing);
  return step(closing, { commands: command === undefined ? [] : [command] });
}

/** The closing round's version is there. */
export function completeRound(state: RoundsState, open: OpenRound, version: number, context: Context): Step {
  const norms = acceptedMembers(open).flatMap(({ norm }) => (norm === null ? [] : [norm]));
  const ending = endingOf(open, { outcome: "completed", version, closedMs: context.nowMs });
  return chain(leaveRound(state, open, ending), (next) =>
    finishTraining(next, open, { version, norms }, context),
  );
}

function finishTraining(
  state: RoundsState,
  open: OpenRound,
  made: { readonly version: number; readonly norms: readonly number[] },
  context: Context,
): Step {
  if (open.kind === "fit") return adoptRoot(state, made.version, 0);
  if (isSelecting(state)) return adoptArmTrained(state, open, made);
  return adoptTrained(state, { ...made, from: open.baseVersion }, context);
}

/** Nothing of the round remains but its number. */
export function abandonRound(state: RoundsState, open: OpenRound, why: AbandonedWhy, context: Context): Step {
  const { policy, nowMs } = context;
  const ending = endingOf(open, { outcome: "abandoned", version: undefined, closedMs: nowMs });
  return chain(leaveRound(state, open, ending, why), (next) => {
    if (isSelecting(next)) return noteFruitless(next, open, context);
    if (open.kind === "evaluate") {
      // That nobody can score it is no sign that it is bad.
      if (why === "nobody-can") return skipEvaluation(next);
      return judgeCandidate(next, { version: open.baseVersion, pooled: undefined }, context);
    }
    return step(open.kind === "train" ? noteAbandoned(next, policy) : next);
  });
}

function closeEvaluation(state: RoundsState, open: OpenRound, context: Context): Step {
  const perDevice = acceptedMembers(open).map(({ device, sums }) => ({
    device,
    sums: sums ?? emptyMetricSums,
  }));
  const pooled = perDevice.reduce((merged, { sums }) => mergeMetricSums(merged, sums), emptyMetricSums);
  const { round, baseVersion: version } = open;
  const evaluation: Write = { type: "evaluation", round, version, pooled, perDevice };
  const ending = endingOf(open, { outcome: "completed", version: undefined, closedMs: context.nowMs });
  return chain(
    leaveRound(state, open, ending),
    (next) =>
      step(next, {
        writes: [evaluation],
        commands: [tell({ type: "evaluated", version, pooled, perDevice })],
      }),
    (next) =>
      isSelecting(next) ? judgeRung(next, open, context) : judgeCandidate(next, { version, pooled }, context),
  );
}

function endingOf(
  { members }: OpenRound,
  how: Pick<RoundEnding, "outcome" | "version" | "closedMs">,
): RoundEnding {
  const all = [...members.values()];
  const count = (wanted: Member["status"]) => all.filter(({ status }) => status === wanted).length;
  return { ...how, members: all.length, accepted: count("accepted"), rejected: count("rejected") };
}

function leaveRound(state: RoundsState, open: OpenRound, ending: RoundEnding, why?: AbandonedWhy): Step {
  const { round, kind } = open;
  const { outcome } = ending;
  const folded = outcome === "completed" ? foldedUpdates(open) : [];
  return step(
    { ...state, open: null },
    {
      writes: [{ type: "end-round", round, keepFrom: state.nextRound - RECEIPT_ROUNDS, ending }],
      commands: [tell({ type: "round-closed", round, kind, outcome, ...(why && { why }), folded })],
    },
  );
}
