// Which part of a pipeline feeds which, by name: sources, steps and joins.

import type { Task } from "../task/task.js";

/** What feeds a step or a join directly, a join's left side first; nothing feeds a source. */
export function inputsOf(name: string, { steps, joins }: Task): readonly string[] {
  if (Object.hasOwn(steps, name)) return [steps[name]!.from];
  if (!Object.hasOwn(joins, name)) return [];
  const { left, rights } = joins[name]!;
  return [left, ...rights.map(({ from }) => from)];
}

/** `last` and all that feeds it, every part after its inputs. References must be sound: known names and no cycles. */
export function upstreamOf(last: string, task: Task): readonly string[] {
  const ordered = new Set<string>();
  const visit = (name: string) => {
    if (ordered.has(name)) return;
    for (const input of inputsOf(name, task)) visit(input);
    ordered.add(name);
  };
  visit(last);
  return [...ordered];
}

/** The source at the far left of `last`: its rows become the pipeline's. */
export function mainSourceOf(last: string, task: Task): string {
  let name = last;
  for (let input = inputsOf(name, task)[0]; input !== undefined; input = inputsOf(name, task)[0])
    name = input;
  return name;
}
