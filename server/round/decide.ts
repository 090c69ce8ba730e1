// All the thinking about rounds, without doing anything: state and event in, state and wishes out.

import { unreachable } from "../../shared/assert.js";
import type { DeviceId } from "../../shared/id.js";
import { settleUpdate } from "./admission.js";
import { noteMade } from "./ancestry.js";
import { abandonRound, completeRound, endRound } from "./closing.js";
import { type Command, chain, type Step, step } from "./command.js";
import type { RoundEvent } from "./event.js";
import { pendingMake } from "./making.js";
import {
  type Context,
  expireLeases,
  isUnsettled,
  loseMember,
  meetDevice,
  memberOf,
  renewLease,
  replaceLost,
  withMember,
} from "./membership.js";
import { openNext } from "./opening.js";
import type { Policy } from "./policy.js";
import { adoptRoot } from "./progression.js";
import { isLearningAnew, liftAbsent, liftQuarantine, quarantine, startRetraining } from "./retrain.js";
import {
  abandonTrial,
  checkTrial,
  judgeTrial,
  noteFailure,
  promoteByHand,
  rollBackByHand,
} from "./rollout.js";
import { adoptArm } from "./selecting.js";
import type { RoundsState } from "./state.js";
import { releaseCommand } from "./trial-reach.js";

/**
 * Decides on one event. Pure: same state, event and policy, same step. The state stays the same object when
 * the event changes nothing; such an event need not be journaled.
 */
export function decide(state: RoundsState, event: RoundEvent, policy: Policy): Step {
  const context: Context = { nowMs: event.nowMs, policy };
  const decided = chain(react(state, event, context), (next) => advance(next, context));
  if (event.type !== "hello") return decided;
  return chain(decided, (next) => answerHello(next, event.device, { ...context, said: decided.commands }));
}

/** When time alone will change something: clock time, undefined when it will not. */
export function nextWakeMs(state: RoundsState): number | undefined {
  const { open, trial } = state;
  let wakeMs = trial?.nextCheckMs ?? Number.POSITIVE_INFINITY;
  if (isResting(state)) wakeMs = Math.min(wakeMs, state.trainFromMs);
  if (open !== null && !open.isClosing) {
    wakeMs = Math.min(wakeMs, open.deadlineMs);
    for (const member of open.members.values()) {
      if (member.status === "assigned") wakeMs = Math.min(wakeMs, member.leaseMs);
    }
  }
  return Number.isFinite(wakeMs) ? wakeMs : undefined;
}

/** True while the next round only waits for its time. */
function isResting(state: RoundsState): boolean {
  const { open, making, finished, trainFromMs } = state;
  return open === null && making === null && finished === null && trainFromMs > 0 && !isLearningAnew(state);
}

function react(state: RoundsState, event: RoundEvent, context: Context): Step {
  switch (event.type) {
    case "recovered":
      return recover(state, event.downtimeMs, context);
    case "tick":
      return step(state);
    case "hello":
      return liftAbsent(meetDevice(state, event.device, event, context), context);
    case "declined":
      return step(isOpen(state, event.round) ? decline(state, event) : state);
    case "progressed":
      return step(isOpen(state, event.round) ? renewLease(state, event.device, context) : state);
    case "update":
      return settleUpdate(state, event);
    case "version-made":
      return adoptVersion(state, event, context);
    case "trial-evidence":
      return judgeTrial(state, event, context);
    case "trial-failed":
      return noteFailure(state, event);
    case "version-missing":
      return abandonTrial(state, event.version, context);
    case "retrain":
      return startRetraining(state, event, context);
    case "quarantine":
      return quarantine(state, event, context);
    case "quarantine-lifted":
      return liftQuarantine(state, event.device, "calm");
    case "promote":
      return promoteByHand(state, event, context);
    case "roll-back":
      return rollBackByHand(state, event.to, context);
    case "version-imported":
      return adoptImported(state, event);
    case "unfoldable":
      return isClosing(state, event.round)
        ? abandonRound(state, state.open, "unfoldable", context)
        : step(state);
    default:
      return unreachable(event);
  }
}

/** Everything that follows by itself, in this order: one pass is enough, since each only feeds the next. */
function advance(state: RoundsState, context: Context): Step {
  return chain(
    expireLeases(state, context),
    (next) => replaceLost(next, context),
    (next) => endRound(next, context),
    (next) => checkTrial(next, context),
    (next) => openNext(next, context),
  );
}

function decline(
  state: RoundsState,
  event: { readonly device: DeviceId; readonly reason: string },
): RoundsState {
  return loseMember(state, event.device, { status: "declined", reason: event.reason });
}

type Made = { readonly round: number; readonly version: number };

function adoptVersion(state: RoundsState, { round, version }: Made, context: Context): Step {
  // Made for what is no longer pending, as when a restart had it made twice.
  if (version !== state.lastVersion + 1) return step(state);
  if (state.making?.what === "arm" && round === 0) return adoptArm(state, state.making.arm, version);
  if (state.making !== null && round === 0)
    return adoptRoot(state, version, state.making.what === "revert" ? state.making.from : 0);
  return isClosing(state, round) ? completeRound(state, state.open, version, context) : step(state);
}

/** Taken in between rounds: nothing is served because of it, and what is being made gets the number after it. */
function adoptImported(
  state: RoundsState,
  { version, isHead }: RoundEvent & { type: "version-imported" },
): Step {
  if (version !== state.lastVersion + 1) return step(state);
  return isHead && state.open === null ? adoptRoot(state, version, 0) : step(noteMade(state, version, 0));
}

/** The time the server was away does not count, and what it was about to do is done now. */
function recover(state: RoundsState, downtimeMs: number, context: Context): Step {
  const { policy } = context;
  const shifted = boundRest(downtimeMs > 0 ? shiftTimes(state, downtimeMs) : state, context);
  const commands: Command[] = [];
  const { stable, open } = shifted;
  if (stable > 0) commands.push(releaseCommand(shifted, policy));
  const make = pendingMake(shifted);
  if (make !== undefined) commands.push(make);
  if (open !== null && !open.isClosing) {
    for (const [device, member] of open.members) {
      if (isUnsettled(member)) commands.push({ type: "offer", device });
    }
  }
  return step(shifted, { commands });
}

/** Whatever the clock was set to meanwhile, and whatever the task says now: no rest is longer than the task's. */
function boundRest(state: RoundsState, { nowMs, policy }: Context): RoundsState {
  const trainFromMs = Math.min(state.trainFromMs, nowMs + policy.rounds.everyMs);
  return trainFromMs === state.trainFromMs ? state : { ...state, trainFromMs };
}

function shiftTimes(state: RoundsState, byMs: number): RoundsState {
  const fleet = new Map(
    [...state.fleet].map(([id, known]) => [id, { ...known, seenMs: known.seenMs + byMs }]),
  );
  const trial = state.trial && {
    ...state.trial,
    sinceMs: state.trial.sinceMs + byMs,
    nextCheckMs: state.trial.nextCheckMs + byMs,
    ...(state.trial.lastFailedMs !== undefined && { lastFailedMs: state.trial.lastFailedMs + byMs }),
  };
  if (state.open === null) return { ...state, fleet, trial };
  const members = new Map(
    [...state.open.members].map(([id, member]) => [
      id,
      member.status === "assigned" ? { ...member, leaseMs: member.leaseMs + byMs } : member,
    ]),
  );
  return {
    ...state,
    fleet,
    trial,
    open: { ...state.open, deadlineMs: state.open.deadlineMs + byMs, members },
  };
}

/** Work for a member that has not delivered, else when to ask again. */
function answerHello(
  state: RoundsState,
  device: DeviceId,
  { nowMs, policy, said }: Context & { readonly said: readonly Command[] },
): Step {
  const { open, member } = memberOf(state, device) ?? {};
  if (open === undefined || member === undefined || open.isClosing || !isUnsettled(member)) {
    const wait: Command = { type: "wait", device, retryMs: policy.retryMs, reason: whyWait(state, device) };
    return step(state, { commands: [wait] });
  }
  const isOffered = said.some((command) => command.type === "offer" && command.device === device);
  const commands: Command[] = isOffered ? [] : [{ type: "offer", device }];
  if (member.status !== "assigned" || member.wasOffered) return step(state, { commands });
  // The lease starts with the first offer that is sure to be heard.
  const leaseMs = nowMs + policy.rounds.leaseMs;
  return step(withMember(state, device, { ...member, leaseMs, wasOffered: true }), { commands });
}

function whyWait(state: RoundsState, device: DeviceId): string {
  if (state.finished !== null) return "finished";
  if (state.quarantined.has(device)) return "quarantined";
  const known = state.fleet.get(device);
  if (known === undefined) return "fleet-full";
  if (!known.canTrain && !known.canEvaluate) return "not-eligible";
  if (isResting(state)) return "not-due";
  if (state.open === null) return "no-round";
  return state.open.members.has(device) ? "settled" : "not-selected";
}

function isOpen({ open }: RoundsState, round: number): boolean {
  return open !== null && open.round === round && !open.isClosing;
}

function isClosing(
  state: RoundsState,
  round: number,
): state is RoundsState & { readonly open: NonNullable<RoundsState["open"]> } {
  return state.open !== null && state.open.round === round && state.open.isClosing;
}
