// How the parts of a task's pipeline fit together: which fields flow where, and which columns come out.
// Sources declare only their vectors; every other field that something downstream reads is one number.

import { assert } from "../assert.js";
import type { OperatorCall, Task } from "../task/task.js";
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

/** One step operator in its place. */
export interface StepStage {
  readonly operator: StepOperator;
  readonly params: unknown;
  readonly input: Input;
}

/** One feature operator in its place. */
export interface FeatureStage {
  readonly operator: FeatureOperator;
  readonly params: unknown;
  /** First column, and how many. */
  readonly offset: number;
  readonly columns: readonly string[];
}

/** A pipeline that fits together: one source, a chain of steps, columns and a label. */
export interface Layout {
  readonly source: string;
  /** The source's fields, in the order of a row's values. */
  readonly fields: readonly Field[];
  readonly steps: readonly StepStage[];
  /** What the features are made from. */
  readonly input: Input;
  readonly features: readonly FeatureStage[];
  readonly columns: readonly string[];
  /** Where the label's field is in `input`. */
  readonly labelPosition: number;
}

const layouts = new WeakMap<Task, Layout>();

/** The layout of a task that `layoutProblems` finds nothing wrong with: anything else is a bug. Worked out once. */
export function layOut(task: Task): Layout {
  const known = layouts.get(task);
  if (known !== undefined) return known;
  const { problems, layout } = layOutFeatures(task, chainOf(task, task.features.from));
  assert(problems.length === 0, `the pipeline fits together: ${problems[0]?.message}`);
  layouts.set(task, layout);
  return layout;
}

/** What does not fit in `steps`, `features` and `label`. References must be sound: known names and no cycles. */
export function layoutProblems(task: Task): readonly LayoutProblem[] {
  const main = chainOf(task, task.features.from);
  const problems = [...layOutFeatures(task, main).problems];
  for (const name of Object.keys(task.steps)) {
    if (main.stepNames.includes(name)) continue;
    problems.push(...layOutSteps(task, chainOf(task, name), []).problems);
  }
  for (const name of Object.keys(task.sources)) {
    if (name === main.source) continue;
    problems.push({
      path: ["sources", name],
      message: "feeds nothing: the features come from another source",
    });
  }
  // Two dead-end chains may share their first steps, and their problems with them.
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

interface Chain {
  readonly source: string;
  readonly stepNames: readonly string[];
  readonly calls: readonly { readonly call: OperatorCall; readonly path: readonly (string | number)[] }[];
}

// From a source or step back to its source.
function chainOf(task: Task, last: string): Chain {
  const stepNames: string[] = [];
  let name = last;
  for (let step = task.steps[name]; step !== undefined; step = task.steps[name]) {
    stepNames.unshift(name);
    name = step.from;
  }
  const calls = stepNames.flatMap((stepName) =>
    task.steps[stepName]!.do.map((call, i) => ({ call, path: ["steps", stepName, "do", i, call.op] })),
  );
  return { source: name, stepNames, calls };
}

function layOutFeatures(task: Task, chain: Chain) {
  const calls = task.features.list.map(({ op, params }) => ({ operator: featureNamed(op), params }));
  const read = calls.flatMap(({ operator, params }) => operator.reads(params));
  const { label } = task;
  const wanted = label.kind === "none" ? read : [...read, label.of];
  const { fields, steps, output, problems } = layOutSteps(task, chain, wanted);
  const features: FeatureStage[] = [];
  let offset = 0;
  calls.forEach(({ operator, params }, i) => {
    const path = ["features", "list", i, operator.name];
    const columns = attempt(problems, path, () => operator.columns(params, output)) ?? [];
    features.push({ operator, params, offset, columns });
    offset += columns.length;
  });
  const columns = features.flatMap((feature) => feature.columns);
  if (problems.length === 0) checkColumns(columns, problems);
  const labelPath = ["label", label.kind, "of"];
  const position = () => (label.kind === "none" ? -1 : numberPosition(output, label.of, []));
  const labelPosition = attempt(problems, labelPath, position) ?? -1;
  const layout = { source: chain.source, fields, steps, input: output, features, columns, labelPosition };
  return { problems, layout };
}

function layOutSteps(task: Task, chain: Chain, wanted: readonly string[]) {
  const problems: LayoutProblem[] = [];
  const fields = sourceFields(task, chain, wanted);
  const steps: StepStage[] = [];
  let output: Input = { fields, spacingMs: undefined };
  for (const { call, path } of chain.calls) {
    const operator = stepNamed(call.op);
    const input = output;
    steps.push({ operator, params: call.params, input });
    const next = attempt(problems, path, () => operator.output(call.params, input));
    if (next === undefined) break; // what follows would only repeat it
    output = next;
  }
  return { fields, steps, output, problems };
}

// Needs run against the stream: what the features want, asked of each operator from the last to the first.
function sourceFields(task: Task, chain: Chain, wanted: readonly string[]): Field[] {
  const { vectors } = task.sources[chain.source]!;
  const read = chain.calls.reduceRight<readonly string[]>(
    (names, { call }) => stepNamed(call.op).reads(call.params, names),
    [...new Set(wanted)],
  );
  return read.map((name) => ({ name, length: Object.hasOwn(vectors, name) ? vectors[name]! : 1 }));
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
