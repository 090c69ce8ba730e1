// `simulate` against the task it simulates.

import type { Problem } from "./problem.js";
import type { SimulateSpec, Task } from "./task.js";

/** What is wrong with the task's simulation. */
export function checkSimulation(task: Task): Problem[] {
  const { simulate } = task;
  if (simulate === undefined) return [];
  return [...checkTest(task, simulate), ...checkDealing(simulate), ...checkSource(task, simulate)];
}

function checkTest({ rows }: Task, { test, source }: SimulateSpec): Problem[] {
  const isGiven = rows.split.test.kind === "given";
  if (test !== undefined && !isGiven) {
    return [{ path: ["simulate", "test"], message: "is only used with rows.split.test: given" }];
  }
  if (test === undefined && isGiven && source.kind !== "generator") {
    return [{ path: ["rows", "split", "test"], message: '"given" needs simulate.test to say where it is' }];
  }
  if (test !== undefined && test.labels === undefined && source.kind === "idx") {
    return [{ path: ["simulate", "test", "labels"], message: "is missing: expected the label file" }];
  }
  return [];
}

function checkDealing({ source, partition, devices }: SimulateSpec): Problem[] {
  const isDealt = partition.kind !== "file" && partition.kind !== "entity";
  if (isDealt && devices === undefined) {
    return [
      {
        path: ["simulate", "devices"],
        message: `is missing: ${partition.kind} deals to a number of devices`,
      },
    ];
  }
  if (source.kind === "csv" && partition.kind === "entity" && source.entity === undefined) {
    return [
      {
        path: ["simulate", "dataset", "entity"],
        message: "is missing: expected the column that names the entity",
      },
    ];
  }
  return [];
}

function checkSource({ sources }: Task, { source }: SimulateSpec): Problem[] {
  if (source.kind === "generator") return [];
  const [only, ...others] = Object.values(sources);
  if (only === undefined || others.length > 0) {
    return [
      { path: ["simulate", "dataset"], message: `feeds one source, the task has ${others.length + 1}` },
    ];
  }
  if (source.kind === "csv" || Object.hasOwn(only.vectors, source.imageField)) return [];
  const message = `"${source.imageField}" must be one of the source's vectors, with its length`;
  return [{ path: ["simulate", "dataset", "fields"], message }];
}
