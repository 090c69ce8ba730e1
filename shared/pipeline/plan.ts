// What a task's pipeline will cost, before anything runs.

import type { Task } from "../task/task.js";
import { layOut } from "./layout.js";
import type { Cost } from "./operators/port.js";

/** Columns, memory and patience. */
export interface PipelinePlan {
  /** Names of the model's inputs, in order. */
  readonly columns: readonly string[];
  /** Most bytes one entity's windows, lags and pending labels need; without a grid, one row a second is assumed. */
  readonly stateBytesPerEntity: number;
  /** Event time and rows of an entity until its first features. */
  readonly warmUp: { readonly ms: number; readonly rows: number };
}

/** The plan of a valid task. */
export function planPipeline(task: Task): PipelinePlan {
  const { nodes, features, input, columns } = layOut(task);
  const steps = nodes.flatMap((node) => (node.kind === "chain" ? node.steps : []));
  const stepCosts = steps.map(({ operator, params, input }) => operator.cost(params, input));
  const featureCosts = features.map(({ operator, params }) => operator.cost(params, input));
  const costs = [...stepCosts, ...featureCosts];
  return {
    columns,
    stateBytesPerEntity: sum(costs, "stateBytes") + pendingBytes(task, columns.length, input.spacingMs),
    // Steps wait for one another; features fill side by side.
    warmUp: {
      ms: sum(stepCosts, "warmUpMs") + most(featureCosts, "warmUpMs"),
      rows: Math.max(1, most(costs, "warmUpRows")),
    },
  };
}

function pendingBytes({ label }: Task, columns: number, spacingMs = 1_000): number {
  if (label.kind !== "forecast") return 0;
  const rows = label.ahead.kind === "rows" ? label.ahead.rows : Math.ceil(label.ahead.ms / spacingMs);
  return rows * (4 * columns + 64);
}

function sum(costs: readonly Cost[], key: keyof Cost): number {
  return costs.reduce((total, cost) => total + cost[key], 0);
}

function most(costs: readonly Cost[], key: keyof Cost): number {
  return costs.reduce((largest, cost) => Math.max(largest, cost[key]), 0);
}
