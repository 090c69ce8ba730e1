// `from` and `left`: every reference names a source, a step or a join, and nothing feeds itself.

import { inputsOf } from "../pipeline/graph.js";
import { labelSourceOf } from "../pipeline/labels/fields.js";
import type { Problem } from "./problem.js";
import { didYouMean } from "./suggest.js";
import type { Task } from "./task.js";

interface Reference {
  readonly path: readonly (string | number)[];
  readonly from: string;
}

/** What is wrong with the task's references. */
export function checkReferences(task: Task): Problem[] {
  const known = [...Object.keys(task.sources), ...Object.keys(task.steps), ...Object.keys(task.joins)];
  const unknown = referencesOf(task)
    .filter(({ from }) => !known.includes(from))
    .map(({ path, from }) => ({
      path,
      message: `no source, step or join is called "${from}"${didYouMean(from, known)}`,
    }));
  return [...checkNames(task), ...unknown, ...checkLabelSource(task), ...checkCycles(task)];
}

/** A label's own source, which is no step and no join. */
function checkLabelSource({ label, sources }: Task): Problem[] {
  const from = labelSourceOf(label);
  const known = Object.keys(sources);
  if (from === undefined || known.includes(from)) return [];
  const message = `no source is called "${from}"${didYouMean(from, known)}`;
  return [{ path: ["label", label.kind, "from"], message }];
}

function referencesOf({ steps, joins, features }: Task): readonly Reference[] {
  const ofSteps = Object.entries(steps).map(([name, { from }]) => ({ path: ["steps", name, "from"], from }));
  const ofJoins = Object.entries(joins).flatMap(([name, { left, rights }]) => [
    { path: ["join", name, "left"], from: left },
    ...rights.map(({ kind, from }) => ({ path: ["join", name, kind, from], from })),
  ]);
  return [...ofSteps, ...ofJoins, { path: ["features", "from"], from: features.from }];
}

function checkNames({ sources, steps, joins }: Task): Problem[] {
  const taken = (names: readonly string[], by: string, known: object, part: string): Problem[] =>
    names
      .filter((name) => Object.hasOwn(known, name))
      .map((name) => ({ path: [part, name], message: `a ${by} is called "${name}" already` }));
  return [
    ...taken(Object.keys(steps), "source", sources, "steps"),
    ...taken(Object.keys(joins), "source", sources, "join"),
    ...taken(Object.keys(joins), "step", steps, "join"),
  ];
}

function checkCycles(task: Task): Problem[] {
  const problems: Problem[] = [];
  for (const name of Object.keys(task.steps)) {
    if (feedsItself(name, task))
      problems.push({ path: ["steps", name, "from"], message: `step "${name}" feeds itself` });
  }
  for (const name of Object.keys(task.joins)) {
    if (feedsItself(name, task))
      problems.push({ path: ["join", name], message: `join "${name}" feeds itself` });
  }
  return problems;
}

function feedsItself(start: string, task: Task): boolean {
  const seen = new Set<string>();
  const open = [...inputsOf(start, task)];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === start) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    open.push(...inputsOf(name, task));
  }
  return false;
}
