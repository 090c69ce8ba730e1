// What a round's end means for the versions: head, candidate, stable, and whether to go on.

import { isBetter, type MetricSums, metricValue } from "../../shared/model/metric.js";
import type { StopSpec } from "../../shared/task/task.js";
import { passesGate } from "../model/gate.js";
import { isTakenBack, noteMade } from "./ancestry.js";
import { chain, publishLine, type Step, step, tell, type Write } from "./command.js";
import type { Context } from "./membership.js";
import { rememberNorms } from "./norms.js";
import { type Policy, VERSIONS_KEPT } from "./policy.js";
import { release } from "./rollout.js";
import { type FinishReason, type RoundsState, versionsInService } from "./state.js";

/** A version is there that no round of updates made: the first, or head back at the params of version `from` (0: of none). */
export function adoptRoot(state: RoundsState, version: number, from: number): Step {
  const rooted: RoundsState = {
    ...state,
    making: null,
    head: version,
    root: version,
    // Stable is scored anew wherever head is.
    candidate: state.candidate === state.stable ? state.candidate : 0,
    failedGates: 0,
    abandonedRounds: 0,
    // What was usual where head was says nothing about the way from here.
    norms: [],
  };
  const next = noteMade(rooted, version, from);
  return step(next, { writes: [pruneVersions(next)], commands: [publishLine("head", version)] });
}

/** A train round has moved head to `version`. */
export function adoptTrained(
  state: RoundsState,
  {
    version,
    from,
    norms,
  }: { readonly version: number; readonly from: number; readonly norms: readonly number[] },
  { policy }: Context,
): Step {
  const trainRounds = state.trainRounds + 1;
  const isDue = trainRounds % policy.evaluate.every === 0 || trainRounds >= trainRoundsOf(state, policy);
  const trained: RoundsState = {
    ...state,
    head: version,
    trainRounds,
    abandonedRounds: 0,
    norms: rememberNorms(state.norms, norms),
  };
  const made = noteMade(trained, version, from);
  const next = { ...made, candidate: isDue && !isTakenBack(made, version) ? version : 0 };
  return step(next, { writes: [pruneVersions(next)], commands: [publishLine("head", version)] });
}

/** The version of an evaluate round has been scored, or could not be (`pooled` undefined): gate, release, stop rule. */
export function judgeCandidate(
  state: RoundsState,
  { version, pooled }: { readonly version: number; readonly pooled: MetricSums | undefined },
  context: Context,
): Step {
  // Meanwhile the fleet has begun to learn anew, or what this was made from was taken back.
  if (version !== state.candidate) return step(state);
  const { gate } = context.policy.rollout;
  const value = pooled === undefined ? undefined : metricValue(pooled, gate.metric);
  if (version === state.stable) return step(noteStable(state, value));
  // Like with like: what stable was worth once is no measure for rows of today.
  if (state.rescore !== null && value !== undefined) {
    return step({ ...state, candidate: state.stable, rescore: { candidate: version } });
  }
  const reference = state.stableValue ?? undefined;
  const passed = passesGate({ value, reference }, gate);
  const judged: RoundsState = {
    ...{ ...state, candidate: 0 },
    failedGates: passed ? 0 : state.failedGates + 1,
  };
  const words = { version, metric: gate.metric, passed, value: value ?? null, reference: state.stableValue };
  const told = tell({ type: "gate", version, passed, value, reference });
  return chain(
    step(judged, { writes: [{ type: "verdict", ...words }], commands: [told] }),
    (next) => (passed ? release(next, { version, value: value ?? null }, context) : step(next)),
    (next) => obeyStop(next, pooled, context.policy),
  );
}

/** Stable has been scored, or could not be. Whoever waited for that is scored once more, with or without a reference. */
function noteStable(state: RoundsState, value: number | undefined): RoundsState {
  const waiting = state.rescore?.candidate ?? 0;
  if (value !== undefined) return { ...state, candidate: waiting, stableValue: value, rescore: null };
  // A version that can be scored where stable cannot: there is nothing to compare with.
  if (waiting > 0) return { ...state, candidate: waiting, stableValue: null, rescore: null };
  return { ...state, candidate: 0 };
}

function obeyStop(state: RoundsState, pooled: MetricSums | undefined, { rounds }: Policy): Step {
  if (rounds.stop === undefined || pooled === undefined) return step(state);
  const { state: next, reason } = applyStop(state, pooled, rounds.stop);
  return reason === undefined ? step(next) : finish(next, reason);
}

/** Nobody can score the candidate: it does not become stable, which is no sign that it is bad. */
export function skipEvaluation(state: RoundsState): Step {
  if (state.candidate === state.stable) return step(noteStable(state, undefined));
  const reference = state.stableValue ?? undefined;
  const fact = {
    type: "gate",
    version: state.candidate,
    passed: false,
    value: undefined,
    reference,
  } as const;
  return step({ ...state, candidate: 0 }, { commands: [tell(fact)] });
}

/** A train round has come to nothing. */
export function noteAbandoned(state: RoundsState, { rollout }: Policy): RoundsState {
  const abandonedRounds = state.abandonedRounds + 1;
  // Only accepted deltas change what is usual: a fleet that is refused for its norms would be refused for ever.
  const norms = abandonedRounds % rollout.revertAfter === 0 ? [] : state.norms;
  return { ...state, abandonedRounds, norms };
}

/**
 * True when head's line was taken back from service, or has led nowhere for too long: gates fail, or no round on it comes to
 * an end, as when every device's training diverges. Not when it has just been returned.
 */
export function mustRevert(state: RoundsState, { rollout }: Policy): boolean {
  if (isTakenBack(state, state.head)) return true;
  const setbacks = Math.max(state.failedGates, state.abandonedRounds);
  return setbacks >= rollout.revertAfter && state.head !== state.root;
}

/** Training is over. */
export function finish(state: RoundsState, reason: FinishReason): Step {
  const version = state.stable || state.head;
  return step({ ...state, finished: reason }, { commands: [tell({ type: "finished", reason, version })] });
}

interface Stopped {
  readonly state: RoundsState;
  readonly reason: FinishReason | undefined;
}

function applyStop(state: RoundsState, pooled: MetricSums, { metric, target, patience }: StopSpec): Stopped {
  const value = metricValue(pooled, metric);
  const isBest = value !== undefined && (state.best === null || isBetter(metric, value, state.best));
  const next = isBest
    ? { ...state, best: value, sinceBest: 0 }
    : { ...state, sinceBest: state.sinceBest + 1 };
  const isReached = value !== undefined && target !== undefined && !isBetter(metric, target, value);
  if (isReached) return { state: next, reason: "target" };
  return { state: next, reason: next.sinceBest >= (patience ?? Infinity) ? "patience" : undefined };
}

/** Train rounds in all, those of learning anew included. */
export function trainRoundsOf({ extraRounds }: RoundsState, { rounds }: Policy): number {
  return rounds.max + extraRounds;
}

function pruneVersions(state: RoundsState): Write {
  const keep = [state.root, ...versionsInService(state)];
  return { type: "prune-versions", through: state.head - VERSIONS_KEPT, keep };
}
