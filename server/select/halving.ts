// Who goes on after a rung. Successive halving (Jamieson and Talwalkar 2016), but that nobody is dropped by chance.

import type { MetricName } from "../../shared/task/task.js";
import { compareValues, type DeviceScores, pairedGain, rankCandidates, type Standing } from "./rank.js";
import {
  type ArmScore,
  type ArmState,
  aliveArms,
  type SelectionPolicy,
  type SelectionState,
} from "./state.js";

/** What a rung comes to: the arms with their scores, those that are out with the reason. */
export interface Halved {
  readonly arms: readonly ArmState[];
  /** Undefined when there was nothing to judge by. */
  readonly best: string | undefined;
}

/** Judges the rung by what devices said of the arms that are in, in their order. */
export function halve(
  selection: SelectionState,
  scores: readonly DeviceScores[],
  { policy, seed }: { readonly policy: SelectionPolicy; readonly seed: string },
): Halved {
  const alive = aliveArms(selection);
  const parameters = alive.map(({ name }) => parametersOf(policy, name));
  const { metric } = policy;
  const ranked = rankCandidates(scores, metric, parameters);
  if (ranked === undefined) return { arms: selection.arms, best: undefined };
  const isLast = selection.rung >= policy.rungs.length - 1;
  const refused = refusals(ranked, policy);
  const fit = ranked.filter(({ index }) => !refused.has(index));
  const keep = Math.min(fit.length, isLast ? 1 : Math.ceil(alive.length / policy.eta));
  const bar = fit[keep - 1]!;
  const judge = (standing: Standing): ArmState => {
    const { index } = standing;
    const arm = alive[index]!;
    const isBehind = fit.indexOf(standing) >= keep;
    const pair = [bar.index, index] as const;
    const behind = isBehind ? pairedGain(scores, pair, { metric, seed, rung: selection.rung }) : undefined;
    const isSure = isLast || (behind !== undefined && behind.low > 0);
    const out = refused.get(index) ?? (isBehind && isSure ? outranked(metric, standing, bar) : null);
    return { ...arm, out, scores: [...arm.scores, scoreOf(selection.rung, arm, standing, behind)] };
  };
  const judged = new Map(ranked.map((standing) => [alive[standing.index]!.name, judge(standing)]));
  return {
    arms: selection.arms.map((arm) => judged.get(arm.name) ?? arm),
    best: alive[fit[0]!.index]!.name,
  };
}

/** Without a word from devices: all go on, but after the last rung only what was best when there last was one. */
export function halveUnscored(selection: SelectionState, policy: SelectionPolicy): Halved {
  if (selection.rung < policy.rungs.length - 1) return { arms: selection.arms, best: undefined };
  const byParameters = aliveArms(selection).toSorted(
    (a, b) => parametersOf(policy, a.name) - parametersOf(policy, b.name),
  );
  const lastValue = ({ scores }: ArmState) => scores.at(-1)?.value ?? undefined;
  const [best] = byParameters.toSorted((a, b) => compareValues(policy.metric, lastValue(a), lastValue(b)));
  const arms = selection.arms.map((arm) =>
    arm.out === null && arm.name !== best?.name ? { ...arm, out: "not scored" } : arm,
  );
  return { arms, best: best?.name };
}

function parametersOf({ arms }: SelectionPolicy, name: string): number {
  return arms.find((arm) => arm.name === name)?.parameters ?? 0;
}

/** Why, by index, who cannot go on however good it is. At least one can: of those that are all too slow, the fastest. */
function refusals(ranked: readonly Standing[], { latencyMs }: SelectionPolicy): ReadonlyMap<number, string> {
  const working = ranked.filter(({ mean }) => mean !== undefined);
  const failed = ranked.filter(({ mean }) => mean === undefined);
  const [fastest] = working.toSorted((a, b) => a.rowMs - b.rowMs);
  const limitMs = Math.max(latencyMs ?? Number.POSITIVE_INFINITY, fastest?.rowMs ?? 0);
  const slow = working.filter(({ rowMs }) => rowMs > limitMs);
  return new Map([
    ...failed.map(({ index }) => [index, "its errors are no finite numbers"] as const),
    ...slow.map(({ index, rowMs }) => {
      return [index, `${rowMs.toPrecision(3)} ms per row, above limit ${latencyMs} ms`] as const;
    }),
  ]);
}

function outranked(metric: MetricName, { mean }: Standing, bar: Standing): string {
  return `${metric} ${mean?.toPrecision(4)} against ${bar.mean?.toPrecision(4)}`;
}

function scoreOf(
  rung: number,
  { head, rounds }: ArmState,
  { value, worst, rows, devices, rowMs }: Standing,
  behind: ArmScore["behind"] | undefined,
): ArmScore {
  return {
    ...{ rung, version: head, rounds, devices, rows },
    value: value ?? null,
    worst: worst ?? null,
    latencyUs: rowMs === 0 ? null : 1_000 * rowMs,
    behind: behind ?? null,
  };
}
