// What comes next, and opening it: fit -> train -> evaluate -> train ... -> finished.

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
import type { Making, OpenRound, RoundsState } from "./state.js";

/** Starts whatever is next, when nothing is under way and enough devices are there. */
export function openNext(state: RoundsState, context: Context): Step {
  const { policy } = context;
  if (state.open !== null || state.making !== null || state.finished !== null) return step(state);
  if (state.head === 0 && !policy.needsFit) return startMaking(state, { what: "initial" });
  // Before there is a stable version, head returns to the params it started from.
  if (mustRevert(state, policy))
    return startMaking(state, { what: "revert", from: state.stable || state.root });
  const kind = nextKind(state, policy);
  return kind === undefined ? finish(state, "max-rounds") : openRound(state, kind, context);
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

function openRound(state: RoundsState, kind: RoundKind, context: Context): Step {
  const { policy, nowMs } = context;
  const isTraining = kind === "train";
  if (isTraining && nowMs < state.trainFromMs && !isLearningAnew(state)) return step(state);
  const plan = planOf(kind, policy);
  const available = availableDevices(state, kind, context);
  const target = cohortSize(plan.cohort, available.length);
  const quorum = Math.max(1, shareOf(plan.quorum, target));
  const needed = state.nextRound === 1 ? Math.max(quorum, policy.rounds.minDevices) : quorum;
  if (available.length < needed) {
    // Training does not wait for scores that nobody can give.
    return kind === "evaluate"
      ? chain(skipEvaluation(state), (next) => openNext(next, context))
      : step(awaitDevices(state));
  }
  const asked = Math.min(available.length, shareOf(1 + plan.overSelect, target));
  const cohort = shuffleDevices(available, policy.seed, state.nextRound).slice(0, asked);
  const open: OpenRound = {
    round: state.nextRound,
    kind,
    baseVersion: kind === "evaluate" ? state.candidate : state.head,
    deadlineMs: nowMs + plan.deadlineMs,
    target,
    quorum,
    normLimit: isTraining ? normLimitOf(state.norms) : null,
    members: new Map(cohort.map((device) => [device, assigned(context)])),
    isClosing: false,
  };
  const { round, baseVersion } = open;
  const trainFromMs = isTraining ? nowMs + policy.rounds.everyMs : state.trainFromMs;
  return step(
    { ...state, nextRound: state.nextRound + 1, trainFromMs, open },
    {
      writes: [{ type: "begin-round", round, kind, baseVersion, openedMs: nowMs }],
      commands: announce(open, cohort),
    },
  );
}

/** The time for a round has come, and only devices are missing: a clock brings nothing any more. */
function awaitDevices(state: RoundsState): RoundsState {
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
