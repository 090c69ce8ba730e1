// A task that a linear model learns exactly: y = 3a - 2b + 1, plus a device's own noise.

import type { Reading } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import { type LoadedTask, parseTask } from "../../shared/task/parse.js";

/** YAML; a test may add to `rounds` or replace the rest. */
export function linearYaml(
  changes: {
    readonly rounds?: string;
    readonly scale?: string;
    readonly disorder?: string;
    readonly rest?: string;
  } = {},
) {
  const { rounds = "", scale = "standard", disorder = "0s", rest = "" } = changes;
  return `task: linear
sources:
  line: { late: { disorder: ${disorder}, idle: 1s } }
features:
  from: line
  list: [{ copy: [a, b] }]
  scale: ${scale}
label: { field: y, scale: ${scale} }
rows: { split: { validation: { share: 20%, by: example } } }
model: { dense: [] }
train: { batch: 8, epochs: 2, optimizer: { sgd: 0.05 } }
rounds: { minExamples: 10, deadline: 2m, ${rounds} }
${rest}`;
}

/** The parsed task. */
export function linearTask(changes?: Parameters<typeof linearYaml>[0]): LoadedTask {
  return parseTask(linearYaml(changes));
}

/** One reading a second of the device's own line, reproducible. */
export function linearReadings(name: string, rows: number, startMs = Date.UTC(2026, 0, 1)): Reading[] {
  const random = randomStream(name, "readings");
  return Array.from({ length: rows }, (_, row) => {
    const a = 4 * random.uniform() - 2;
    const b = 10 * random.uniform();
    const y = 3 * a - 2 * b + 1 + 0.1 * random.normal();
    return { source: "line", entity: name, timeMs: startMs + row * 1000, values: { a, b, y } };
  });
}
