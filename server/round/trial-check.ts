// Whether a version in trial does well, by what its devices have reported.

import { regression } from "../../shared/model/metric.js";
import type { TrialEvidence } from "./event.js";
import type { Context } from "./membership.js";
import type { TrialState } from "./state.js";

/** Fewer rows say nothing about invalid answers or latency. */
const ROWS_MIN = 20;

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
  const fatal = fatalProblems(evidence, context);
  const wanted = wantedOf(trial, context);
  const elapsedMs = context.nowMs - trial.sinceMs;
  const hasRows = evidence.labelled >= wanted.rows && evidence.reporting > 0;
  const problems = [
    ...fatal,
    ...silence(evidence, elapsedMs, context),
    ...slowness(evidence, context),
    ...(hasRows ? worsening(evidence, context) : []),
  ];
  if (!hasRows && elapsedMs >= wanted.forMs) {
    problems.push(`too-few-rows: ${evidence.labelled} of ${wanted.rows}`);
  }
  const isLongEnough = trial.mode === "shadow" || elapsedMs >= wanted.forMs;
  return {
    problems,
    // A shadow without enough rows by its time has had its time.
    isFatal:
      fatal.length > 0 || (trial.mode === "shadow" && problems.length > 0 && elapsedMs >= wanted.forMs),
    isPassed: problems.length === 0 && hasRows && isLongEnough,
  };
}

function wantedOf(
  { mode }: TrialState,
  { policy }: Context,
): { readonly rows: number; readonly forMs: number } {
  const { shadow, canary } = policy.rollout;
  if (mode === "shadow") return { rows: shadow?.rows ?? 0, forMs: shadow?.forMs ?? 0 };
  return { rows: canary?.rows ?? 0, forMs: canary?.soakMs ?? 0 };
}

function fatalProblems({ failed, rows, invalid }: TrialEvidence, { policy }: Context): string[] {
  const problems: string[] = [];
  if (failed > 0) problems.push(`failed-on-device: ${failed}`);
  const share = rows === 0 ? 0 : invalid / rows;
  if (rows >= ROWS_MIN && share > policy.rollout.guard.invalid) {
    problems.push(`invalid: ${percent(share)} of predictions`);
  }
  return problems;
}

function silence({ devices, silent }: TrialEvidence, elapsedMs: number, { policy }: Context): string[] {
  const { silentMs, silentShare } = policy.rollout.guard;
  if (elapsedMs < silentMs) return [];
  if (devices === 0) return ["no-devices"];
  return silent / devices > silentShare || silent === devices
    ? [`silent: ${silent} of ${devices} devices`]
    : [];
}

function slowness({ rows, latencyRatio }: TrialEvidence, { policy }: Context): string[] {
  if (latencyRatio === null || rows < ROWS_MIN || latencyRatio <= policy.rollout.guard.latency) return [];
  return [`latency: ${latencyRatio.toFixed(2)} times stable's`];
}

function worsening(evidence: TrialEvidence, { policy }: Context): string[] {
  const { gate, guard } = policy.rollout;
  const { value, reference } = evidence;
  if (evidence.labelled === 0) return [];
  // Rows there were, but no number: the version has diverged.
  if (value === null) return reference === null ? [] : [`${gate.metric}: no value`];
  if (reference === null) return [];
  const worse = regression(gate.metric, value, reference);
  return worse > guard.maxRegression ? [`${gate.metric}: ${percent(worse)} worse than stable`] : [];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
