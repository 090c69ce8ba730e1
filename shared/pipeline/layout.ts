// How the parts of a task's pipeline fit together: which fields flow where, and which columns come out.
// Sources declare only their vectors; every other field that something downstream reads is one number.

import { assert } from "../assert.js";
import type { JoinSpec } from "../task/join-spec.js";
import type { OperatorCall, Task } from "../task/task.js";
import { inputsOf, mainSourceOf, upstreamOf } from "./graph.js";
import { joinedInput, leftReads, rightReads } from "./join/fields.js";
import { labelReads, labelSourceOf } from "./labels/fields.js";
import { numberPosition } from "./operators/fields.js";
import {
  type FeatureOperator,
  type Field,
  type Input,
  OperatorError,
  type StepOperator,
} from "./operators/port.js";
import { featureOperators, stepOperators } from "./operators/registry.js";

/** One thing in the task that does not fit the rest. `path` leads from the top of the task. */
export interface LayoutProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** One source, and what of it is read. */
export interface SourceLayout {
  readonly name: string;
  /** In the order of a row's values. */
  readonly fields: readonly Field[];
}

/** One step operator in its place. */
export interface StepStage {
  readonly operator: StepOperator;
  readonly params: unknown;
  readonly input: Input;
}

/** One part of the graph; `inputs` are numbers of earlier nodes. */
export type LayoutNode =
  | { readonly kind: "source"; readonly source: SourceLayout }
  | {
      readonly kind: "chain";
      readonly name: string;
      readonly steps: readonly StepStage[];
      readonly inputs: readonly number[];
    }
  | {
      readonly kind: "join";
      readonly name: string;
      readonly spec: JoinSpec;
      readonly inputs: readonly number[];
      /** Of each input: the left one's first. */
      readonly sides: readonly Input[];
    };

/** One feature operator in its place. */
export interface FeatureStage {
  readonly operator: FeatureOperator;
  readonly params: unknown;
  /** First column, and how many. */
  readonly offset: number;
  readonly columns: readonly string[];
}

/** A pipeline that fits together: a graph from sources to rows, columns and a label. */
export interface Layout {
  /** The source whose rows, joined by others, become the features' rows. */
  readonly source: string;
  /** That source's fields. */
  readonly fields: readonly Field[];
  /** All sources that feed the features. */
  readonly sources: readonly SourceLayout[];
  /** Every node after its inputs; the last one feeds the features. */
  readonly nodes: readonly LayoutNode[];
  /** What the features are made from. */
  readonly input: Input;
  readonly features: readonly FeatureStage[];
  /** The features' columns, then an indicator for each of `masked`. */
  readonly columns: readonly string[];
  /** Columns that have an indicator, in its order: behind the features', 1 where the value is missing. */
  readonly masked: readonly number[];
  /** Where the label's field is in `input`; -1 when it is in no row. */
  readonly labelPosition: number;
  /** Where labels come from when they do not come with the rows. */
  readonly labelSource: SourceLayout | undefined;
}

const layouts = new WeakMap<Task, Layout>();

/** The layout of a task that `layoutProblems` finds nothing wrong with: anything else is a bug. Worked out once. */
export function layOut(task: Task): Layout {
  const known = layouts.get(task);
  if (known !== undefined) return known;
  const { problems, layout } = layOutFeatures(task);
  assert(problems.length === 0, `the pipeline fits together: ${problems[0]?.message}`);
  layouts.set(task, layout);
  return layout;
}

/** What does not fit in `steps`, `join`, `features` and `label`. References must be sound: known names and no cycles. */
export function layoutProblems(task: Task): readonly LayoutProblem[] {
  const used = new Set(upstreamOf(task.features.from, task));
  const problems = [...layOutFeatures(task).problems];
  for (const name of [...Object.keys(task.steps), ...Object.keys(task.joins)]) {
    if (!used.has(name)) problems.push(...layOutGraph(task, name, []).problems);
  }
  const labels = labelSourceOf(task.label);
  for (const name of Object.keys(task.sources)) {
    if (used.has(name) || name === labels) continue;
    problems.push({
      path: ["sources", name],
      message: "feeds nothing: neither features nor label come from it",
    });
  }
  // Two dead ends may share their first steps, and their problems with them.
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

function layOutFeatures(task: Task): { readonly problems: LayoutProblem[]; readonly layout: Layout } {
  const calls = task.features.list.map(({ op, params }) => ({ operator: featureNamed(op), params }));
  const read = calls.flatMap(({ operator, params }) => operator.reads(params));
  const { label } = task;
  const inRow = labelReads(label).row;
  const graph = layOutGraph(task, task.features.from, inRow === undefined ? read : [...read, inRow]);
  const { problems, output } = graph;
  const features: FeatureStage[] = [];
  let offset = 0;
  calls.forEach(({ operator, params }, i) => {
    const path = ["features", "list", i, operator.name];
    const columns = attempt(problems, path, () => operator.columns(params, output)) ?? [];
    features.push({ operator, params, offset, columns });
    offset += columns.length;
  });
  const values = features.flatMap((feature) => feature.columns);
  const masked = task.features.missing === "mask" ? maskedColumns(features) : [];
  const columns = [...values, ...masked.map((column) => `${values[column]}_missing`)];
  if (problems.length === 0) checkColumns(columns, problems);
  const labelPath = ["label", label.kind, "of"];
  const position = () => (inRow === undefined ? -1 : numberPosition(output, inRow, []));
  const labelPosition = attempt(problems, labelPath, position) ?? -1;
  const { nodes, sources } = graph;
  const source = mainSourceOf(task.features.from, task);
  const fields = sources.find(({ name }) => name === source)?.fields ?? [];
  const labelSource = labelLayout(task);
  const layout = {
    source,
    fields,
    sources,
    nodes,
    input: output,
    features,
    columns,
    masked,
    labelPosition,
    labelSource,
  };
  return { problems, layout };
}

function maskedColumns(features: readonly FeatureStage[]): readonly number[] {
  return features.flatMap(({ operator, offset, columns }) =>
    operator.neverMissing === true ? [] : columns.map((_, i) => offset + i),
  );
}

function labelLayout(task: Task): SourceLayout | undefined {
  const name = labelSourceOf(task.label);
  if (name === undefined || !Object.hasOwn(task.sources, name)) return undefined;
  return { name, fields: fieldsOf(task, name, labelReads(task.label).source) };
}

interface Graph {
  readonly nodes: readonly LayoutNode[];
  readonly sources: readonly SourceLayout[];
  readonly output: Input;
  readonly problems: LayoutProblem[];
}

// Names flow against the stream, fields along it.
function layOutGraph(task: Task, last: string, wanted: readonly string[]): Graph {
  const names = upstreamOf(last, task);
  const wants = wantsOf(task, names, wanted);
  const problems: LayoutProblem[] = [];
  const nodes: LayoutNode[] = [];
  const outputs: Input[] = [];
  for (const name of names) {
    const inputs = inputsOf(name, task).map((input) => names.indexOf(input));
    const sides = inputs.map((input) => outputs[input]!);
    const { node, output } = layOutNode(task, name, {
      inputs,
      sides,
      wanted: wants.get(name) ?? [],
      problems,
    });
    nodes.push(node);
    outputs.push(output);
  }
  const sources = nodes.flatMap((node) => (node.kind === "source" ? [node.source] : []));
  return { nodes, sources, output: outputs.at(-1)!, problems };
}

// What the features want, asked of every part from the last to the first.
function wantsOf(task: Task, names: readonly string[], wanted: readonly string[]) {
  const wants = new Map<string, readonly string[]>([[names.at(-1)!, [...new Set(wanted)]]]);
  const ask = (name: string, read: readonly string[]) =>
    wants.set(name, [...new Set([...(wants.get(name) ?? []), ...read])]);
  for (const name of names.toReversed()) {
    const own = wants.get(name) ?? [];
    const step = task.steps[name];
    const join = task.joins[name];
    if (step !== undefined) ask(step.from, chainReads(step.do, own));
    if (join === undefined) continue;
    ask(join.left, leftReads(join, own));
    for (const right of join.rights) ask(right.from, rightReads(right));
  }
  return wants;
}

function chainReads(calls: readonly OperatorCall[], wanted: readonly string[]): readonly string[] {
  return calls.reduceRight((names, { op, params }) => stepNamed(op).reads(params, names), wanted);
}

interface NodePlace {
  readonly inputs: readonly number[];
  readonly sides: readonly Input[];
  readonly wanted: readonly string[];
  readonly problems: LayoutProblem[];
}

function layOutNode(
  task: Task,
  name: string,
  { inputs, sides, wanted, problems }: NodePlace,
): { readonly node: LayoutNode; readonly output: Input } {
  const step = task.steps[name];
  if (step !== undefined) {
    const { steps, output } = layOutSteps(name, step.do, sides[0]!, problems);
    return { node: { kind: "chain", name, steps, inputs }, output };
  }
  const spec = task.joins[name];
  if (spec !== undefined) {
    const output = attempt(problems, ["join", name], () => joinedInput(spec, sides)) ?? sides[0]!;
    return { node: { kind: "join", name, spec, inputs, sides }, output };
  }
  const fields = fieldsOf(task, name, [...new Set([...wanted, ...guardedFields(task, name)])]);
  for (const { name: field, length } of fields) {
    if (length === 1 || !guardedFields(task, name).includes(field)) continue;
    problems.push({
      path: ["sources", name],
      message: `checks take numbers: "${field}" is a vector of ${length}`,
    });
  }
  return { node: { kind: "source", source: { name, fields } }, output: { fields, spacingMs: undefined } };
}

function layOutSteps(
  name: string,
  calls: readonly OperatorCall[],
  given: Input,
  problems: LayoutProblem[],
): { readonly steps: readonly StepStage[]; readonly output: Input } {
  const steps: StepStage[] = [];
  let output = given;
  for (const [i, { op, params }] of calls.entries()) {
    const operator = stepNamed(op);
    const input = output;
    steps.push({ operator, params, input });
    const next = attempt(problems, ["steps", name, "do", i, op], () => operator.output(params, input));
    if (next === undefined) break; // what follows would only repeat it
    output = next;
  }
  return { steps, output };
}

// Checked, or looked at to tell a second reading, though nothing downstream may read them.
function guardedFields({ sources }: Task, name: string): readonly string[] {
  const { checks, dedupe } = sources[name]!;
  return [...Object.keys(checks), ...(dedupe?.by ?? [])];
}

function fieldsOf(task: Task, source: string, names: readonly string[]): readonly Field[] {
  const { vectors, decode } = task.sources[source]!;
  return names.map((name) => {
    if (!Object.hasOwn(vectors, name)) return { name, length: 1 };
    const length = vectors[name]!;
    return decode.kind === "samples" ? { name, length, rateHz: decode.rateHz } : { name, length };
  });
}

function attempt<Result>(
  problems: LayoutProblem[],
  path: readonly (string | number)[],
  body: () => Result,
): Result | undefined {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    problems.push({ path: [...path, ...error.path], message: error.message });
    return undefined;
  }
}

function checkColumns(columns: readonly string[], problems: LayoutProblem[]): void {
  const seen = new Set<string>();
  for (const column of columns) {
    if (seen.has(column))
      problems.push({ path: ["features", "list"], message: `column "${column}" is made twice` });
    seen.add(column);
  }
  if (columns.length === 0) problems.push({ path: ["features", "list"], message: "makes no column" });
}

function stepNamed(name: string): StepOperator {
  const operator = stepOperators[name];
  assert(operator !== undefined, `the schema let step operator "${name}" through`);
  return operator;
}

function featureNamed(name: string): FeatureOperator {
  const operator = featureOperators[name];
  assert(operator !== undefined, `the schema let feature operator "${name}" through`);
  return operator;
}
