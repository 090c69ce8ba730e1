// `from`: every reference names a source or a step, and no step feeds itself.

import type { Problem } from "./problem.js";
import { didYouMean } from "./suggest.js";
import type { Task } from "./task.js";

/** What is wrong with the task's references. */
export function checkReferences(task: Task): Problem[] {
  const known = [...Object.keys(task.sources), ...Object.keys(task.steps)];
  const references = [
    ...Object.entries(task.steps).map(([name, { from }]) => ({ path: ["steps", name, "from"], from })),
    { path: ["features", "from"], from: task.features.from },
  ];
  const unknown = references
    .filter(({ from }) => !known.includes(from))
    .map(({ path, from }) => ({
      path,
      message: `no source or step is called "${from}"${didYouMean(from, known)}`,
    }));
  return [...checkNames(task), ...unknown, ...checkCycles(task)];
}

function checkNames({ sources, steps }: Task): Problem[] {
  return Object.keys(steps)
    .filter((name) => Object.hasOwn(sources, name))
    .map((name) => ({ path: ["steps", name], message: `a source is called "${name}" already` }));
}

function checkCycles({ steps }: Task): Problem[] {
  return Object.keys(steps)
    .filter((name) => feedsItself(name, steps))
    .map((name) => ({ path: ["steps", name, "from"], message: `step "${name}" feeds itself` }));
}

function feedsItself(start: string, steps: Task["steps"]): boolean {
  let name = steps[start]?.from;
  for (let hops = 0; name !== undefined && hops <= Object.keys(steps).length; hops++) {
    if (name === start) return true;
    name = steps[name]?.from;
  }
  return false;
}
