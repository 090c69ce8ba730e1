// Rounds while candidates are compared: every arm trains in turn, with the same devices; after a rung all are scored on the
// same rows at once; the one that is left becomes head, and goes the way of every version from there.

import { assert } from "../../shared/assert.js";
import { type Halved, halve, halveUnscored } from "../select/halving.js";
import type { DeviceScores } from "../select/rank.js";
import {
  type ArmState,
  aliveArms,
  type SelectionPolicy,
  type SelectionState,
  withArm,
} from "../select/state.js";
import { isTakenBack, noteMade } from "./ancestry.js";
import { chain, publishLine, type Step, step, tell, type Write } from "./command.js";
import type { Context } from "./membership.js";
import { rememberNorms } from "./norms.js";
import { VERSIONS_KEPT } from "./policy.js";
import {
  acceptedMembers,
  type Making,
  type OpenRound,
  type RoundsState,
  versionsInService,
} from "./state.js";

/** Evaluate rounds of one rung that may come to nothing. */
const UNSCORED_MAX = 3;

/** What a selection wants next: a version, a round, or nothing more. */
export type SelectionWish =
  | { readonly wants: "version"; readonly making: Making }
  | { readonly wants: "train"; readonly base: ArmState; readonly order: number }
  | {
      readonly wants: "evaluate";
      readonly base: number;
      readonly beside: readonly number[];
      /** Names of all of them. */
      readonly arms: readonly string[];
    };

/** True while candidates are compared. */
export function isSelecting({ selection }: RoundsState): boolean {
  return selection !== null && selection.winner === null;
}

/** Begins the comparison with the first arm's first version, which is head. */
export function beginSelection(state: RoundsState, policy: SelectionPolicy): RoundsState {
  const arms = policy.arms.map(
    ({ name }, at): ArmState => ({
      name,
      ...(at === 0 ? { first: state.head, head: state.head } : { first: 0, head: 0 }),
      ...{ rounds: 0, tries: 0, norms: [], out: null, scores: [] },
    }),
  );
  return { ...state, selection: { rung: 0, arms, turn: { tries: -1, round: 0 }, unscored: 0, winner: null } };
}

/** What comes next, or undefined once one arm is left. */
export function nextWish(
  selection: SelectionState,
  policy: SelectionPolicy,
  nextRound: number,
): SelectionWish | undefined {
  const alive = aliveArms(selection);
  if (alive.length <= 1) return undefined;
  const unmade = alive.find(({ first }) => first === 0);
  if (unmade !== undefined) {
    const scalerOf = Math.max(...selection.arms.map(({ first }) => first));
    return { wants: "version", making: { what: "arm", arm: unmade.name, scalerOf } };
  }
  const base = nextToTrain(selection, policy);
  if (base !== undefined) {
    const { turn } = selection;
    return { wants: "train", base, order: turn.tries === base.tries ? turn.round : nextRound };
  }
  const [first, ...others] = alive.map(({ head }) => head);
  return { wants: "evaluate", base: first!, beside: others, arms: alive.map(({ name }) => name) };
}

// The one with the fewest tries: every arm once per turn. An arm whose rounds come to nothing tries twice as often, and no more.
function nextToTrain(selection: SelectionState, { rungs }: SelectionPolicy): ArmState | undefined {
  const goal = rungs[selection.rung] ?? 0;
  const triesMax = 2 * (goal - (rungs[selection.rung - 1] ?? 0));
  const due = aliveArms(selection).filter(({ rounds, tries }) => rounds < goal && tries < triesMax);
  return due.toSorted((a, b) => a.tries - b.tries)[0];
}

/** A train round of an arm has opened: its turn has begun. */
export function beginTurn(state: RoundsState, base: ArmState, order: number): RoundsState {
  const { selection } = state;
  if (selection === null) return state;
  return { ...state, selection: { ...selection, turn: { tries: base.tries, round: order } } };
}

/** An arm's first version is there. */
export function adoptArm(state: RoundsState, arm: string, version: number): Step {
  const { selection } = state;
  if (selection === null) return step(state);
  const started: RoundsState = {
    ...{ ...state, making: null },
    selection: withArm(selection, arm, { first: version, head: version }),
  };
  return step(noteMade(started, version, 0), { commands: [publishLine("head", version)] });
}

/** A train round has moved its arm to `version`. */
export function adoptArmTrained(
  state: RoundsState,
  { baseVersion }: OpenRound,
  { version, norms }: { readonly version: number; readonly norms: readonly number[] },
): Step {
  const arm = armAt(state, baseVersion);
  if (state.selection === null || arm === undefined) return step(state);
  const selection = withArm(state.selection, arm.name, {
    head: version,
    rounds: arm.rounds + 1,
    tries: arm.tries + 1,
    norms: rememberNorms(arm.norms, norms),
  });
  const next = noteMade({ ...state, selection }, version, baseVersion);
  return step(next, {
    writes: [pruneArms(next, selection)],
    commands: [publishLine("head", version)],
  });
}

/** A round of the selection has come to nothing: an arm's try is used up, or one of the rung's evaluations. */
export function noteFruitless(state: RoundsState, { kind, baseVersion }: OpenRound, context: Context): Step {
  if (kind === "evaluate") return noteUnscored(state, context);
  const arm = armAt(state, baseVersion);
  if (state.selection === null || arm === undefined) return step(state);
  return step({ ...state, selection: withArm(state.selection, arm.name, { tries: arm.tries + 1 }) });
}

/** Nobody has scored the arms, or nobody can. */
export function noteUnscored(state: RoundsState, context: Context): Step {
  const { selection } = state;
  const policy = context.policy.selection;
  if (selection === null || policy === undefined) return step(state);
  const unscored = selection.unscored + 1;
  if (unscored < UNSCORED_MAX) return step({ ...state, selection: { ...selection, unscored } });
  return endRung(state, halveUnscored(selection, policy), context);
}

/** The rung's evaluate round has closed. */
export function judgeRung(state: RoundsState, open: OpenRound, context: Context): Step {
  const policy = context.policy.selection;
  if (state.selection === null || policy === undefined) return step(state);
  const scores = acceptedMembers(open).map(({ device, sums, beside }): DeviceScores => {
    const own = sums === null ? [] : [sums];
    return { device, sums: [...own, ...(beside?.sums ?? [])], elapsedMs: beside?.elapsedMs ?? [] };
  });
  const halved = halve(state.selection, scores, { policy, seed: context.policy.seed });
  return halved.best === undefined ? noteUnscored(state, context) : endRung(state, halved, context);
}

function endRung(state: RoundsState, { arms, best }: Halved, { policy }: Context): Step {
  const { selection } = state;
  if (selection === null) return step(state);
  const { rung } = selection;
  const next: SelectionState = {
    ...selection,
    rung: rung + 1,
    arms: arms.map((arm) => ({ ...arm, tries: 0 })),
    turn: { tries: -1, round: 0 },
    unscored: 0,
  };
  const told = tell({
    type: "selection-rung",
    rung,
    best,
    arms: arms
      .filter(({ name }) => selection.arms.some((arm) => arm.name === name && arm.out === null))
      .map(({ name, head, out, scores }) => ({
        ...{ arm: name, version: head, out },
        score: scores.find((score) => score.rung === rung) ?? null,
      })),
  });
  const ended = step({ ...state, selection: next }, { commands: [told] });
  const isOver = aliveArms(next).length <= 1 || next.rung >= (policy.selection?.rungs.length ?? 0);
  return isOver ? chain(ended, (then) => endSelection(then)) : ended;
}

/** One arm is left: its newest version is head, and is to pass the gate; the others' are forgotten. */
export function endSelection(state: RoundsState): Step {
  const { selection } = state;
  if (selection === null) return step(state);
  const [winner] = aliveArms(selection);
  assert(winner !== undefined, "one arm is always left");
  const { name, first, head, norms, rounds } = winner;
  const next: RoundsState = {
    ...state,
    ...{ head, norms, selection: { ...selection, winner: name } },
    root: state.stable || first,
    // Untrained, as when it is the only one within the limits, there is nothing to serve yet.
    candidate: head === first || isTakenBack(state, head) ? 0 : head,
    ...{ failedGates: 0, abandonedRounds: 0, best: null, sinceBest: 0 },
  };
  const others = selection.arms.filter((arm) => arm.name !== name).map((arm) => arm.name);
  return step(next, {
    writes: [
      { type: "prune-versions", through: state.lastVersion, keep: [...versionsInService(next), head, first] },
    ],
    commands: [tell({ type: "selected", arm: name, version: head, rounds, over: others })],
  });
}

function armAt({ selection }: RoundsState, head: number): ArmState | undefined {
  return selection?.arms.find((arm) => arm.head === head && arm.out === null);
}

function pruneArms(state: RoundsState, selection: SelectionState): Write {
  const versions = aliveArms(selection).flatMap(({ first, head }) => [first, head]);
  return {
    type: "prune-versions",
    through: state.lastVersion - VERSIONS_KEPT,
    keep: [...versionsInService(state), ...versions],
  };
}
