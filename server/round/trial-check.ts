// Whether a version in trial does well, by what its devices have reported. Every device has one voice, and it takes more than
// half of them for anything: so fewer liars than that can neither pass a version that is bad on all others, nor take back one
// that is good on them. It is the breakdown point of the median (Donoho and Huber 1983), of words instead of numbers.

import type { TrialEvidence } from "./event.js";
import type { Context } from "./membership.js";
import type { Policy } from "./policy.js";
import type { TrialState } from "./state.js";

/** Failures that a problem names. */
const NAMED_MAX = 2;
const PROBLEM_CHARACTERS = 256;

/** What a check comes to. */
export interface TrialVerdict {
  /** In words for people; none when all is well so far. */
  readonly problems: readonly string[];
  /** One of them ends the trial at once. */
  readonly isFatal: boolean;
  /** The step has lasted long enough, and enough is known. */
  readonly isPassed: boolean;
}

/** Judges a check. */
export function judgeEvidence(trial: TrialState, evidence: TrialEvidence, context: Context): TrialVerdict {
  const fatal = unfitness(evidence, context);
  const elapsedMs = context.nowMs - trial.sinceMs;
  const wantedMs = msWanted(trial, context.policy);
  const isGood = isMost(evidence.votes?.good ?? 0, evidence);
  const isOver = elapsedMs >= wantedMs;
  // What is at the limit fails one check and passes the next: it has to do well for as long as a step lasts.
  const isCalm = context.nowMs - Math.max(trial.sinceMs, trial.lastFailedMs ?? 0) >= wantedMs;
  const found = [
    ...fatal,
    ...silence(evidence, elapsedMs, context),
    ...slowness(evidence),
    ...worsening(evidence, context),
  ];
  // What is found says enough; otherwise that it has lasted long enough and is not known to be good is a problem of its own.
  const problems =
    found.length === 0 && isOver && !isGood
      ? [uncertainty(evidence, rowsWanted(trial, context.policy))]
      : found;
  return {
    problems,
    // A shadow that does not pass by its time has had its time.
    isFatal: fatal.length > 0 || (trial.mode === "shadow" && problems.length > 0 && isOver),
    isPassed: problems.length === 0 && isGood && (trial.mode === "shadow" || isCalm),
  };
}

/** Labelled rows that a trial is judged by: every device of its step answers for its share. */
export function rowsWanted({ mode }: Pick<TrialState, "mode">, { rollout }: Policy): number {
  return (mode === "shadow" ? rollout.shadow?.rows : rollout.canary?.rows) ?? 0;
}

function msWanted({ mode }: TrialState, { rollout }: Policy): number {
  return (mode === "shadow" ? rollout.shadow?.forMs : rollout.canary?.soakMs) ?? 0;
}

function isMost(votes: number, { devices }: TrialEvidence): boolean {
  return votes > devices / 2;
}

/** It does not work, or says no numbers, on so many devices that nobody needs to look any further. */
function unfitness({ failed, failures = [], votes, devices }: TrialEvidence, { policy }: Context): string[] {
  const { failedShare } = policy.rollout.guard;
  const invalid = votes?.invalid ?? 0;
  if (failed + invalid === 0 || failed + invalid < failedShare * devices) return [];
  const named = failures.slice(0, NAMED_MAX).map(({ device, reason, detail }) => {
    return `${device}: ${reason}${detail === "" ? "" : `, ${detail}`}`;
  });
  const why = named.length === 0 ? "" : ` (${named.join("; ")})`;
  return [
    ...(failed > 0 ? [`failed-on-device: ${failed} of ${devices}${why}`.slice(0, PROBLEM_CHARACTERS)] : []),
    ...(invalid > 0 ? [`invalid: predictions on ${invalid} of ${devices} devices`] : []),
  ];
}

function silence({ devices, silent }: TrialEvidence, elapsedMs: number, { policy }: Context): string[] {
  const { silentMs, silentShare } = policy.rollout.guard;
  if (elapsedMs < silentMs) return [];
  if (devices === 0) return ["no-devices"];
  return silent / devices > silentShare || silent === devices
    ? [`silent: ${silent} of ${devices} devices`]
    : [];
}

function slowness(evidence: TrialEvidence): string[] {
  const { latencyRatio, votes, devices } = evidence;
  if (votes === undefined || !isMost(votes.slow, evidence)) return [];
  return [
    `latency: ${latencyRatio?.toFixed(2) ?? "many"} times stable's on ${votes.slow} of ${devices} devices`,
  ];
}

function worsening(evidence: TrialEvidence, { policy }: Context): string[] {
  const { votes, devices, regression } = evidence;
  if (votes === undefined || !isMost(votes.worse, evidence)) return [];
  const how =
    regression === undefined || regression === null ? "no value" : `${percent(regression)} worse than stable`;
  return [`${policy.rollout.gate.metric}: ${how} on ${votes.worse} of ${devices} devices`];
}

function uncertainty({ devices, labelled, votes }: TrialEvidence, rows: number): string {
  const { judged = 0, good = 0 } = votes ?? {};
  if (judged > devices / 2) return `undecided: good on ${good} of ${devices} devices`;
  return `too-few-rows: ${judged} of ${devices} devices have their share of ${rows}; ${labelled} in all`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
