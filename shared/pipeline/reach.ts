// How much event time one example stands on: what keeps the sides of a split apart.

import { unreachable } from "../assert.js";
import type { JoinSpec } from "../task/join-spec.js";
import type { LabelSpec, Task } from "../task/task.js";
import { type LayoutNode, layOut } from "./layout.js";
import type { Cost } from "./operators/port.js";

/**
 * How far an example's label looks ahead and its features look back, together, in a task whose parts fit together. Rows
 * that are counted without lying on a grid have no length that could be told.
 */
export function reachOf(task: Task): number {
  const { nodes, features, input } = layOut(task);
  const reaches: number[] = [];
  for (const node of nodes) reaches.push(reachOfNode(node, reaches));
  const ofFeatures = features.map(({ operator, params }) => reachOfCost(operator.cost(params, input)));
  return labelReachMs(task.label, input.spacingMs) + reaches.at(-1)! + Math.max(0, ...ofFeatures);
}

/** From a row's event time to the last thing its label depends on; `spacingMs` lies between rows on a grid. */
export function labelReachMs(label: LabelSpec, spacingMs = 0): number {
  switch (label.kind) {
    case "forecast":
      return label.ahead.kind === "time" ? label.ahead.ms : label.ahead.rows * spacingMs;
    case "event":
      return label.horizonMs;
    case "feedback":
      return label.match.kind === "interval" ? (label.match.spanMs ?? spacingMs) : 0;
    case "field":
    case "none":
      return 0;
    default:
      return unreachable(label);
  }
}

function reachOfNode(node: LayoutNode, reaches: readonly number[]): number {
  switch (node.kind) {
    case "source":
      return 0;
    case "chain": {
      const steps = node.steps.map(({ operator, params, input }) =>
        reachOfCost(operator.cost(params, input)),
      );
      return steps.reduce((sum, ms) => sum + ms, reaches[node.inputs[0]!]!);
    }
    case "join": {
      const backs = [0, ...node.spec.rights.map(backOf)];
      return Math.max(...node.inputs.map((input, side) => reaches[input]! + backs[side]!));
    }
    default:
      return unreachable(node);
  }
}

function backOf(right: JoinSpec["rights"][number]): number {
  return right.kind === "asof" ? right.backMs : right.beforeMs + right.afterMs;
}

function reachOfCost({ warmUpMs, reachMs }: Cost): number {
  return reachMs ?? warmUpMs;
}
