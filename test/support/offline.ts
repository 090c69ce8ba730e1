// Files through a pipeline, and all that came of them.

import { type OfflineOptions, runOffline } from "../../device/offline/run.js";
import type { Example, FeatureRow } from "../../shared/pipeline/types.js";
import { parseTask } from "../../shared/task/parse.js";
import { deviceId } from "./device-kit.js";

/** Runs `files` through the task written as `yaml`. */
export async function runFiles(
  yaml: string,
  files: readonly (string | OfflineOptions["files"][number])[],
  options: Partial<OfflineOptions> = {},
) {
  const features: FeatureRow[] = [];
  const examples: Example[] = [];
  const { task } = parseTask(yaml);
  const [only] = Object.keys(task.sources);
  const result = await runOffline({
    task,
    files: files.map((file) => (typeof file === "string" ? { path: file, source: only } : file)),
    device: deviceId("pi"),
    topic: undefined,
    withTopic: false,
    encoding: undefined,
    arrival: { fromMs: Date.UTC(2026, 0, 1), everyMs: 1000 },
    sink: {
      features: (row) => void features.push(row),
      example: (example) => void examples.push(example),
      ready: async () => true,
    },
    ...options,
  });
  return { features, examples, result, counts: result.counters.toJSON() };
}
