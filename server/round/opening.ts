// What comes next, and opening it: fit -> train -> evaluate -> train ... -> finished.

import { unreachable } from "../../shared/assert.js";
import type { DeviceId } from "../../shared/id.js";
import type { CohortSpec } from "../../shared/task/task.js";
import type { RoundKind } from "../../shared/wire/message.js";
import { cohortSize, shareOf, shuffleDevices } from "../fleet/selection.js";
import { type Command, chain, type Step, step, tell } from "./command.js";
import { pendingMake } from "./making.js";
import { assigned, availableDevices, type Context } from "./membership.js";
import { normLimitOf } from "./norms.js";
import type { Policy } from "./policy.js";
import { finish, mustRevert, skipEvaluation, trainRoundsOf } from "./progression.js";
import { isLearningAnew } from "./retrain.js";
import { beginSelection, beginTurn, endSelection, isSelecting, nextWish, noteUnscored } from "./selecting.js";
import type { Making, OpenRound, RoundsState } from "./state.js";

/** Starts whatever is next, when nothing is under way and enough devices are there. */
export function openNext(state: RoundsState, context: Context): Step {
  const { policy } = context;
  if (state.open !== null || state.making !== null || state.finished !== null) return step(state);
  if (state.head === 0 && !policy.needsFit) return startMaking(state, { what: "initial" });
  if (state.head > 0 && state.selection === null && policy.selection !== undefined) {
    return openNext(beginSelection(state, policy.selection), context);
  }
  if (isSelecting(state)) return selectNext(state, context);
  // Before there is a stable version, head returns to the params it started from.
  if (mustRevert(state, policy))
    return startMaking(state, { what: "revert", from: state.stable || state.root });
  const kind = nextKind(state, policy);
  if (kind === undefined) return finish(state, "max-rounds");
  const baseVersion = kind === "evaluate" ? state.candidate : state.head;
  return openRound(state, { kind, baseVersion, norms: state.norms }, context);
}

/** What the comparison of candidates wants next. */
function selectNext(state: RoundsState, context: Context): Step {
  const { selection } = state;
  const policy = context.policy.selection;
  // Without its policy, as when a task no longer has candidates, there is nothing to compare by: the first arm goes on.
  const wish = selection && policy && nextWish(selection, policy, state.nextRound);
  if (wish === undefined || wish === null)
    return chain(endSelection(state), (next) => openNext(next, context));
  switch (wish.wants) {
    case "version":
      return startMaking(state, wish.making);
    case "train": {
      const { base, order } = wish;
      const { head, norms, name } = base;
      const round = { kind: "train", baseVersion: head, norms, order, arms: [name] } as const;
      const opened = openRound(state, round, context);
      return opened.state.open === null ? opened : { ...opened, state: beginTurn(opened.state, base, order) };
    }
    case "evaluate": {
      const { base: baseVersion, beside, arms } = wish;
      return openRound(state, { kind: "evaluate", baseVersion, norms: [], beside, arms }, context);
    }
    default:
      return unreachable(wish);
  }
}

function nextKind(state: RoundsState, policy: Policy): RoundKind | undefined {
  if (state.head === 0) return "fit";
  if (state.candidate > 0) return "evaluate";
  return state.trainRounds < trainRoundsOf(state, policy) ? "train" : undefined;
}

function startMaking(state: RoundsState, making: Making): Step {
  const next = { ...state, making };
  const command = pendingMake(next);
  return step(next, { commands: command === undefined ? [] : [command] });
}

/** What a round is about. */
interface RoundTopic {
  readonly kind: RoundKind;
  readonly baseVersion: number;
  readonly norms: readonly number[];
  readonly beside?: readonly number[];
  readonly order?: number;
  readonly arms?: readonly string[];
}

function openRound(state: RoundsState, topic: RoundTopic, context: Context): Step {
  const { policy, nowMs } = context;
  const { kind, baseVersion, beside, order, arms } = topic;
  const isTraining = kind === "train";
  if (isTraining && isTooEarly(state, order, nowMs)) return step(state);
  const plan = planOf(kind, policy);
  const available = availableDevices(state, kind, context);
  const target = cohortSize(plan.cohort, available.length);
  const quorum = Math.max(1, shareOf(plan.quorum, target));
  const needed = state.nextRound === 1 ? Math.max(quorum, policy.rounds.minDevices) : quorum;
  if (available.length < needed) {
    return kind === "evaluate" ? skip(state, context) : step(awaitDevices(state, context));
  }
  const asked = Math.min(available.length, shareOf(1 + plan.overSelect, target));
  const cohort = shuffleDevices(available, policy.seed, order ?? state.nextRound).slice(0, asked);
  const open: OpenRound = {
    round: state.nextRound,
    kind,
    baseVersion,
    ...(beside && { beside }),
    ...(order !== undefined && { order }),
    deadlineMs: nowMs + plan.deadlineMs,
    target,
    quorum,
    normLimit: isTraining ? normLimitOf(topic.norms) : null,
    members: new Map(cohort.map((device) => [device, assigned(context)])),
    isClosing: false,
  };
  const { round } = open;
  const trainFromMs = isTraining ? nowMs + policy.rounds.everyMs : state.trainFromMs;
  return step(
    { ...state, nextRound: state.nextRound + 1, trainFromMs, open },
    {
      writes: [{ type: "begin-round", round, kind, baseVersion, openedMs: nowMs, ...(arms && { arms }) }],
      commands: announce(open, cohort),
    },
  );
}

/** Rounds that begin by the clock: not before it is time. The candidates of a turn follow one another at once. */
function isTooEarly(state: RoundsState, order: number | undefined, nowMs: number): boolean {
  const isWithinTurn = order !== undefined && order < state.nextRound;
  return nowMs < state.trainFromMs && !isWithinTurn && !isLearningAnew(state);
}

/** Training does not wait for scores that nobody can give. Candidates do while nobody is there at all. */
function skip(state: RoundsState, context: Context): Step {
  if (!isSelecting(state)) return chain(skipEvaluation(state), (next) => openNext(next, context));
  if (availableDevices(state, "train", context).length === 0) return step(awaitDevices(state, context));
  return chain(noteUnscored(state, context), (next) => openNext(next, context));
}

/** The time for a round has come, and only devices are missing: a clock brings nothing any more. */
function awaitDevices(state: RoundsState, { nowMs }: Context): RoundsState {
  // Of candidates, those that come later in a turn, and their comparison, do not wait for the clock.
  if (isSelecting(state) && nowMs < state.trainFromMs) return state;
  return state.trainFromMs === 0 ? state : { ...state, trainFromMs: 0 };
}

function announce(open: OpenRound, cohort: readonly DeviceId[]): Command[] {
  const { round, kind, baseVersion, deadlineMs } = open;
  const opened = tell({ type: "round-opened", round, kind, baseVersion, cohort, deadlineMs });
  return [opened, ...cohort.map((device): Command => ({ type: "offer", device }))];
}

interface RoundPlan {
  readonly cohort: CohortSpec;
  readonly overSelect: number;
  readonly quorum: number;
  readonly deadlineMs: number;
}

function planOf(kind: RoundKind, { rounds, evaluate }: Policy): RoundPlan {
  switch (kind) {
    // The scaler stays for good, so every device is asked, whatever later cohorts are.
    case "fit":
      return { ...rounds, cohort: { kind: "all" }, overSelect: 0 };
    case "train":
      return rounds;
    case "evaluate":
      return { ...evaluate, overSelect: 0 };
  }
}
