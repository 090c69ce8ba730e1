// How the task's candidates do against each other, as the API describes it.

import type { ArmScore } from "../select/state.js";
import type { ServerStatus } from "../status.js";
import { optional } from "./optional.js";
import type { SelectionView } from "./schema.js";

/** Undefined for a task without candidates. */
export function selectionView({ selection }: Pick<ServerStatus, "selection">): SelectionView | undefined {
  if (selection === undefined) return undefined;
  const { policy, state, excluded } = selection;
  const arms = policy.arms.map(({ name, parameters, bytes }) => {
    const arm = state?.arms.find((each) => each.name === name);
    const score = arm?.scores.at(-1);
    return {
      ...{ name, parameters, bytes, version: arm?.head ?? 0, rounds: arm?.rounds ?? 0 },
      ...optional({
        out: arm?.out,
        value: score?.value,
        worst: score?.worst,
        latencyUs: score?.latencyUs,
        scoredRounds: score?.rounds,
        rows: score?.rows,
        devices: score?.devices,
      }),
      comparisons: (arm?.scores ?? []).map(comparisonView),
    };
  });
  return {
    ...{ metric: policy.metric, rungs: [...policy.rungs], rung: state?.rung ?? 0, candidates: arms },
    excluded: excluded.map(({ arm, reason }) => ({ name: arm, reason })),
    ...optional({ winner: state?.winner }),
  };
}

function comparisonView({ rung, rounds, version, devices, rows, value, worst, latencyUs, behind }: ArmScore) {
  return { rung: rung + 1, rounds, version, devices, rows, ...optional({ value, worst, latencyUs, behind }) };
}
