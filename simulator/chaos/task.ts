// What a fleet learns under chaos: a line through two columns. Small, so that thousands of federations can learn it.

import type { DeviceId } from "../../shared/id.js";
import type { FittedScaler, Reading } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import { type LoadedTask, parseTask } from "../../shared/task/parse.js";
import { pick } from "../adversary/vandal.js";

/** Feature columns, and the line's params: one a column and where it starts. */
export const COLUMNS = 2;
export const PARAMS = 3;

/** A task of `rounds` train rounds, its rules drawn from the seed: chaos has to try them all. */
export function chaosTask(seed: string, rounds: number): LoadedTask {
  const random = randomStream(seed, "task");
  const oneOf = (...items: readonly (string | number)[]) => pick(items, random);
  const scale = oneOf("standard", "standard", "minmax", "{ constant: { divide: 10 } }");
  return parseTask(`task: chaos
sources:
  line: { late: { disorder: 0s, idle: 1s } }
features:
  from: line
  list: [{ copy: [a, b] }]
  scale: ${scale}
label: { field: y, scale: ${scale} }
rows: { keep: { ring: 150 }, split: { validation: { share: 25%, by: example } } }
model: { dense: [] }
train: { batch: 32, epochs: 1, optimizer: { sgd: 0.1 } }
rounds:
  cohort: ${oneOf("all", "60%", 5, 7)}
  minDevices: ${oneOf(1, 5, 8)}
  overSelect: ${oneOf("0%", "30%", "60%")}
  quorum: ${oneOf("40%", "60%", "80%", "100%")}
  deadline: ${oneOf("30s", "60s", "90s")}
  lease: ${oneOf("10s", "30s")}
  max: ${rounds}
  minExamples: 8
evaluate: { every: ${oneOf(1, 2)}, cohort: ${oneOf("all", 4)}, quorum: ${oneOf("50%", "100%")} }
rollout: { gate: { rmse: { maxRegression: ${oneOf("0%", "20%")} } }, revertAfter: ${oneOf(1, 3)} }
`);
}

/** What the sensors of a device say, one reading a second, reproducible. */
export function chaosReadings(
  seed: string,
  device: DeviceId,
  { rows, startMs }: { readonly rows: number; readonly startMs: number },
): readonly Reading[] {
  const random = randomStream(seed, "readings", device);
  return Array.from({ length: rows }, (_, row) => {
    const a = 4 * random.uniform() - 2;
    const b = 10 * random.uniform();
    const y = 3 * a - 2 * b + 1 + 0.1 * random.normal();
    return { source: "line", entity: device, timeMs: startMs + row * 1000, values: { a, b, y } };
  });
}

/** What a version answers for a reading. */
export function answerOf(
  { values }: Reading,
  { params, scaler }: { readonly params: Float32Array; readonly scaler: FittedScaler },
): number {
  const { offset, factor, label } = scaler;
  const scaled = [Number(values.a), Number(values.b)].map((value, i) => (value - offset[i]!) * factor[i]!);
  const output = params[0]! * scaled[0]! + params[1]! * scaled[1]! + params[2]!;
  return output / label.factor + label.offset;
}
