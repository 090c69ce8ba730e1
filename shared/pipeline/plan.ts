// What a task's pipeline will cost, part by part, before anything runs.

import { unreachable } from "../assert.js";
import type { LabelSpec, Task } from "../task/task.js";
import { pendingRowBytes } from "./labels/pending.js";
import type { FeatureStage, Layout, LayoutNode, StepStage } from "./layout.js";
import { layOut } from "./layout.js";
import { type Cost, type Input, MAX_HISTORY_ROWS } from "./operators/port.js";

/** Columns, memory and patience. */
export interface PipelinePlan {
  /** Names of the model's inputs, in order. */
  readonly columns: readonly string[];
  /**
   * Most bytes one entity's windows, lags and pending labels need, and about what the objects around them take; without
   * a grid, one row a second is assumed.
   */
  readonly stateBytesPerEntity: number;
  /** The part of it that rows take while they wait for their label. */
  readonly pendingBytesPerEntity: number;
  /** Event time and rows of an entity until its first features. */
  readonly warmUp: { readonly ms: number; readonly rows: number };
  /** Every operator and join, in the order rows pass them. */
  readonly parts: readonly PartPlan[];
}

/** One operator or join. */
export interface PartPlan extends Cost {
  /** Where it stands in the task: "steps.hourly", "join.rows", "features". */
  readonly where: string;
  readonly name: string;
  readonly columns: readonly string[];
}

/** About what V8 takes for a part's objects, empty: `npm run bench:pipeline` compares the sum with the heap. */
const PART_BYTES = 1_500;

/** The plan of a valid task. */
export function planPipeline(task: Task): PipelinePlan {
  const layout = layOut(task);
  const { nodes, features, input, columns } = layout;
  const parts = [
    ...nodes.flatMap((node) => planNode(node)),
    ...features.map((stage) => planFeature(stage, input)),
  ];
  const waitsMs = waitsOf(nodes);
  const featureCosts = parts.filter(({ where }) => where === "features");
  const pendingBytesPerEntity = pendingBytes(task, columns.length, input.spacingMs);
  return {
    columns,
    stateBytesPerEntity:
      parts.reduce((bytes, { stateBytes }) => bytes + PART_BYTES + stateBytes, 0) + pendingBytesPerEntity,
    pendingBytesPerEntity,
    // Steps wait for one another; features fill side by side.
    warmUp: {
      ms: waitsMs.at(-1)! + most(featureCosts, "warmUpMs"),
      rows: Math.max(1, most(parts, "warmUpRows")),
    },
    parts,
  };
}

function planNode(node: LayoutNode): readonly PartPlan[] {
  switch (node.kind) {
    case "source":
      return [];
    case "chain":
      return node.steps.map((stage) => planStep(node.name, stage));
    case "join":
      return [{ where: `join.${node.name}`, name: "join", columns: [], ...joinCost(node) }];
    default:
      return unreachable(node);
  }
}

function planStep(name: string, { operator, params, input }: StepStage): PartPlan {
  return { where: `steps.${name}`, name: operator.name, columns: [], ...operator.cost(params, input) };
}

function planFeature({ operator, params, columns }: FeatureStage, input: Input): PartPlan {
  return { where: "features", name: operator.name, columns, ...operator.cost(params, input) };
}

// Rows of the left side that wait for the slowest right one, and the rows each right side looks back at.
function joinCost({ spec, sides }: Extract<LayoutNode, { kind: "join" }>): Cost {
  const stateBytes = spec.rights.reduce((bytes, right, i) => {
    const { fields, spacingMs = 1_000 } = sides[i + 1]!;
    const spanMs = right.kind === "interval" ? right.beforeMs + right.afterMs : spacingMs;
    return bytes + (Math.ceil(spanMs / spacingMs) + 1) * rowBytes(fields.length);
  }, rowBytes(sides[0]!.fields.length));
  const afterMs = spec.rights.map((right) => (right.kind === "interval" ? right.afterMs : 0));
  return { stateBytes, warmUpMs: Math.max(0, ...afterMs), warmUpRows: 1 };
}

function rowBytes(fields: number): number {
  return 64 + 16 * fields;
}

/** Event time until the first row comes out of each node. */
function waitsOf(nodes: Layout["nodes"]): readonly number[] {
  const waitsMs: number[] = [];
  for (const node of nodes) {
    const inputsMs = node.kind === "source" ? [0] : node.inputs.map((input) => waitsMs[input]!);
    const ownMs = planNode(node).reduce((ms, { warmUpMs }) => ms + warmUpMs, 0);
    waitsMs.push(Math.max(...inputsMs) + ownMs);
  }
  return waitsMs;
}

function pendingBytes({ label, rows: { everyMs = 0 } }: Task, columns: number, spacingMs = 1_000): number {
  return Math.min(MAX_HISTORY_ROWS, pendingRows(label, spacingMs, everyMs)) * pendingRowBytes(columns, label);
}

function pendingRows(label: LabelSpec, spacingMs: number, everyMs: number): number {
  switch (label.kind) {
    case "field":
    case "none":
      return 0;
    case "forecast":
      return label.ahead.kind === "rows" ? label.ahead.rows : Math.ceil(label.ahead.ms / spacingMs);
    case "event":
      return Math.ceil((label.horizonMs + label.waitMs) / Math.max(spacingMs, everyMs));
    case "feedback": {
      // Of a stretch any row may be the one that is kept; who names a row means that very row.
      const apartMs = label.match.kind === "interval" ? Math.max(spacingMs, everyMs) : spacingMs;
      return Math.ceil(label.waitMs / apartMs);
    }
    default:
      return unreachable(label);
  }
}

function most(costs: readonly Cost[], key: "warmUpMs" | "warmUpRows"): number {
  return costs.reduce((largest, cost) => Math.max(largest, cost[key]), 0);
}
