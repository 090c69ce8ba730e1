// What a device has on disk belongs to some part of a task: hashes over exactly that part.

import { canonicalJson, sha256Hex } from "../shared/task/canonical.js";
import type { LoadedTask } from "../shared/task/parse.js";

/** What stored examples mean: their columns, their label, and which side they are on. */
export function meaningOf({ pipelineHash, task }: LoadedTask): string {
  return sha256Hex(canonicalJson({ pipelineHash, split: task.rows.split }));
}

/** All that what a pipeline remembers depends on. */
export function specOf({ task }: LoadedTask): string {
  const { entity, sources, steps, joins, features, label, rows, model } = task;
  return sha256Hex(
    canonicalJson({ entity, sources, steps, joins, features, label, rows, output: model.output }),
  );
}
