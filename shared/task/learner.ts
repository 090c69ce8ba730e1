// Which model and plan a version is of: the task's own, or those of one of its candidates.

import type { CandidateSpec, Task } from "./task.js";

/** Model and plan for versions of `arm`; undefined when the task has no such candidate, or has some and none is named. */
export function learnerOf(
  { model, train, candidates }: Task,
  arm: string | undefined,
): CandidateSpec | undefined {
  if (candidates === undefined) return arm === undefined ? { model, train } : undefined;
  return arm === undefined ? undefined : candidates[arm];
}
