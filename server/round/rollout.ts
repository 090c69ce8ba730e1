// How a version that has passed the gate comes to be served by all: shadow, canary step by step, promotion; and how it
// is taken back. What cannot be judged counts as failed, so every trial ends.

import type { DeviceId } from "../../shared/id.js";
import { TRIAL_PLACES } from "../../shared/wire/trial.js";
import { passesGate } from "../model/gate.js";
import { isTakenBack, takeBack } from "./ancestry.js";
import { chain, publishLine, type Step, step, type TrialEnd, tell } from "./command.js";
import { type RoundEvent, TRIAL_FAILURES_MAX } from "./event.js";
import type { Context } from "./membership.js";
import type { RoundsState, Scored, TrialState } from "./state.js";
import { judgeEvidence } from "./trial-check.js";
import { reachOfStep, releaseCommand } from "./trial-reach.js";

/** A version has passed the gate: on trial, or served by all when the task asks for no trial. */
export function release(state: RoundsState, candidate: Scored, context: Context): Step {
  if (isTakenBack(state, candidate.version)) return step(state);
  const { shadow, canary } = context.policy.rollout;
  const needsTrial = shadow !== undefined || canary !== undefined;
  // Before the first there is nothing better to serve, and nothing to compare with.
  if (!needsTrial || state.stable === 0) return promote(state, candidate, context);
  // One at a time; the newest of those that wait is the one worth trying.
  if (state.trial !== null) return step({ ...state, queued: candidate });
  return startStep(state, candidate, { mode: shadow === undefined ? "canary" : "shadow", step: 0 }, context);
}

/** Asks for evidence when a check is due. */
export function checkTrial(state: RoundsState, { nowMs, policy }: Context): Step {
  const { trial } = state;
  if (trial === null || nowMs < trial.nextCheckMs) return step(state);
  const next = { ...trial, nextCheckMs: nowMs + policy.rollout.guard.checkMs };
  const { version, step: at } = trial;
  return step({ ...state, trial: next }, { commands: [{ type: "pool-evidence", version, step: at }] });
}

/** A device of the trial says that the version does not work there: told once, and judged at once. */
export function noteFailure(state: RoundsState, event: RoundEvent & { readonly type: "trial-failed" }): Step {
  const { trial } = state;
  if (trial === null || !isNewFailure(trial, event)) return step(state);
  const { version, device, reason, detail, nowMs } = event;
  const failed = [...(trial.failed ?? []), { device, reason, detail }];
  const next = { ...state, trial: { ...trial, failed, nextCheckMs: nowMs } };
  return step(next, { commands: [tell({ type: "trial-failed", version, device, reason, detail })] });
}

/** True when it is news that the version does not work on the device. */
export function isNewFailure(
  { version, failed = [] }: TrialState,
  said: { readonly version: number; readonly device: DeviceId },
): boolean {
  const isKnown = failed.some(({ device }) => device === said.device);
  return said.version === version && !isKnown && failed.length < TRIAL_FAILURES_MAX;
}

/** Goes on with the trial, or ends it. */
export function judgeTrial(
  state: RoundsState,
  event: RoundEvent & { readonly type: "trial-evidence" },
  context: Context,
): Step {
  const { trial } = state;
  if (trial === null || trial.version !== event.version || trial.step !== event.step) return step(state);
  const verdict = judgeEvidence(trial, event.evidence, context);
  const told = tell({
    type: "trial-checked",
    ...{ version: trial.version, mode: trial.mode, step: trial.step },
    evidence: event.evidence,
    problems: verdict.problems,
  });
  return chain(step(state, { commands: [told] }), (next) => follow(next, trial, verdict, context));
}

/** The operator's word: this version is served by all, whatever the gate says. */
export function promoteByHand(state: RoundsState, chosen: Scored, context: Context): Step {
  if (chosen.version === state.stable && state.trial === null) return step(state);
  return promote(state, chosen, context);
}

/** The operator's word: what is in trial is taken back; without a trial, `chosen` or what was served before is served again. */
export function rollBackByHand(state: RoundsState, chosen: Scored | null, context: Context): Step {
  if (state.trial !== null && chosen === null) return endTrial(state, state.trial, ["operator"], context);
  const target = chosen ?? state.previous;
  if (target === null || target.version === state.stable) return step(state);
  return promote(state, target, context, [state.stable]);
}

/** There is nothing that devices could be given to try. */
export function abandonTrial(state: RoundsState, version: number, context: Context): Step {
  const { trial } = state;
  return trial?.version === version ? endTrial(state, trial, ["version-missing"], context) : step(state);
}

function follow(
  state: RoundsState,
  trial: TrialState,
  verdict: ReturnType<typeof judgeEvidence>,
  context: Context,
): Step {
  const { guard, canary } = context.policy.rollout;
  const failures = trial.failures + (verdict.problems.length > 0 ? 1 : 0);
  if (verdict.isFatal || failures >= guard.failures) return endTrial(state, trial, verdict.problems, context);
  if (!verdict.isPassed) {
    const isSame = failures === trial.failures;
    return step(isSame ? state : { ...state, trial: { ...trial, failures, lastFailedMs: context.nowMs } });
  }
  const isLast = trial.mode === "canary" && trial.step + 1 >= (canary?.steps.length ?? 0);
  if (canary === undefined || isLast) return promote(state, trial, context);
  const at = trial.mode === "shadow" ? 0 : trial.step + 1;
  return startStep(state, trial, { mode: "canary", step: at, failures, failed: trial.failed ?? [] }, context);
}

function startStep(
  state: RoundsState,
  { version, value }: Scored,
  how: Pick<TrialState, "mode" | "step"> & Partial<Pick<TrialState, "failures" | "failed">>,
  context: Context,
): Step {
  const { nowMs, policy } = context;
  const trial: TrialState = {
    ...{ version, value, mode: how.mode, step: how.step },
    failures: how.failures ?? 0,
    failed: how.failed ?? [],
    below: reachOfStep(state, version, how, context),
    sinceMs: nowMs,
    nextCheckMs: nowMs + policy.rollout.guard.checkMs,
  };
  const { mode, below } = trial;
  const next = { ...state, trial, sequence: nextSequence(state, context) };
  const told = tell({ type: "trial-started", version, mode, step: how.step, share: below / TRIAL_PLACES });
  return step(next, { commands: [told, releaseCommand(next, policy)] });
}

/** `left`: what an operator takes back by it. */
function promote(
  state: RoundsState,
  { version, value }: Scored,
  context: Context,
  left: readonly number[] = [],
): Step {
  const { stable, trial, takenBack } = state;
  const served: RoundsState = {
    ...state,
    ...{ stable: version, stableValue: value, root: version },
    previous: stable === 0 ? null : { version: stable, value: state.stableValue },
    ...{ failedGates: 0, trial: null, rescore: null },
    // What stable is worth by now was asked of the one before.
    candidate: state.candidate === stable ? (state.rescore?.candidate ?? 0) : state.candidate,
    sequence: nextSequence(state, context),
    takenBack: takenBack.filter((each) => each !== version),
  };
  const superseded = trial === null ? [] : [trial.version];
  const leaving = [...left, ...superseded].filter((each) => each !== version);
  const next = leaving.reduce(takeBack, served);
  const commands = [publishLine("stable", version), releaseCommand(next, context.policy)];
  return chain(
    tellOutcome(state, version),
    () => step(next, { commands }),
    (promoted) => tryQueued(promoted, context),
  );
}

function tellOutcome(state: RoundsState, promoted: number): Step {
  if (state.trial === null) return step(state);
  const isPromoted = state.trial.version === promoted;
  return tellEnded(
    state,
    state.trial,
    isPromoted ? "promoted" : "rolled-back",
    isPromoted ? [] : ["superseded"],
  );
}

function tellEnded(
  state: RoundsState,
  { version, mode, step: at }: TrialState,
  outcome: TrialEnd["outcome"],
  reasons: readonly string[],
): Step {
  const end = { type: "trial-ended", version, mode, step: at, outcome, reasons } as const;
  return step(state, { writes: [end], commands: [tell(end)] });
}

/** What waited has to be better than what is stable by now. */
function tryQueued(state: RoundsState, context: Context): Step {
  const { queued } = state;
  if (queued === null) return step(state);
  const next = { ...state, queued: null };
  const values = { value: queued.value ?? undefined, reference: state.stableValue ?? undefined };
  const isWanted = queued.version > state.stable && passesGate(values, context.policy.rollout.gate);
  return isWanted ? release(next, queued, context) : step(next);
}

/** What has failed in service takes its line along: head, where it is on it, goes back to stable's params. */
function endTrial(state: RoundsState, trial: TrialState, reasons: readonly string[], context: Context): Step {
  const without = { ...state, trial: null, sequence: nextSequence(state, context) };
  const next = takeBack(without, trial.version);
  return chain(
    tellEnded(next, trial, "rolled-back", reasons),
    () => step(next, { commands: [releaseCommand(next, context.policy)] }),
    (ended) => tryQueued(ended, context),
  );
}

// Time itself when it is greater: a server that starts from nothing is still heard by devices that knew the one before.
function nextSequence({ sequence }: RoundsState, { nowMs }: Context): number {
  return Math.max(sequence + 1, Math.floor(nowMs));
}
