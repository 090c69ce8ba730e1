// What a fleet learns under chaos: a line through two columns, and columns that mean nothing. Small, so that thousands
// of federations can learn it; in some seeds too wide for one chunk.

import type { DeviceId } from "../../shared/id.js";
import type { FittedScaler, Reading } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import { type LoadedTask, parseTask } from "../../shared/task/parse.js";
import { pick } from "../pick.js";

/** Columns that mean nothing: few, or so many that an update takes several chunks of CHUNK_BYTES. */
export const noiseWidths = [2, 260] as const;
/** Data in one chunk, the least that the protocol allows. */
export const CHUNK_BYTES = 1024;

/** A task, and how wide it is. */
export interface ChaosTask {
  readonly loaded: LoadedTask;
  readonly noise: number;
  /** Feature columns without the label. The line has a param for each, and one for where it starts. */
  readonly columns: number;
}

/** A task of `rounds` train rounds, its width and its rules drawn from the seed: chaos has to try them all. */
export function chaosTask(seed: string, rounds: number): ChaosTask {
  const isWide = randomStream(seed, "width").uniform() < 0.2;
  const noise = noiseWidths[isWide ? 1 : 0];
  return { loaded: parseTask(yamlOf(seed, rounds, noise)), noise, columns: 2 + noise };
}

// As quick as the rest: a trial must have come to its end when all else has.
const SHADOW = ", shadow: { rows: 20, for: 60s }";
const CANARY = ", canary: { steps: [1, 30%], soak: 15s, rows: 20 }";
const GUARD = ", guard: { check: 5s, silent: 60s, maxRegression: 50% }";

function yamlOf(seed: string, rounds: number, noise: number): string {
  const random = randomStream(seed, "task");
  const oneOf = (...items: readonly (string | number)[]) => pick(items, random);
  // A stream of its own: what else a seed draws stays what it was.
  const every = pick(["1s", "1s", "45s", "3m"], randomStream(seed, "every"));
  const scale = oneOf("standard", "standard", "minmax", "{ constant: { divide: 10 } }");
  return `task: chaos
sources:
  line: { vectors: { noise: ${noise} }, late: { disorder: 0s, idle: 1s } }
features:
  from: line
  list: [{ copy: [a, b, noise] }]
  scale: ${scale}
label: { field: y, scale: ${scale} }
rows: { keep: { ring: 150 }, split: { validation: { share: 25%, by: example } } }
model: { dense: [] }
train: { batch: 32, epochs: 1, optimizer: { sgd: ${noise > 10 ? 0.01 : 0.1} } }
rounds:
  cohort: ${oneOf("all", "60%", 5, 7)}
  minDevices: ${oneOf(1, 5, 8)}
  overSelect: ${oneOf("0%", "30%", "60%")}
  quorum: ${oneOf("40%", "60%", "80%", "100%")}
  deadline: ${oneOf("30s", "60s", "90s")}
  lease: ${oneOf("10s", "30s")}
  max: ${rounds}
  every: ${every}
  minExamples: 8
evaluate: { every: ${oneOf(1, 2)}, cohort: ${oneOf("all", 4)}, quorum: ${oneOf("50%", "100%")} }
rollout: { gate: { rmse: { maxRegression: ${oneOf("0%", "20%")} } }, revertAfter: ${oneOf(1, 3)}${oneOf("", SHADOW, CANARY, CANARY, SHADOW + CANARY)}${GUARD} }
monitor: { report: 5s, window: 50, data: { ks: { rows: 50 } } }
`;
}

/** What the sensors of a device say, one reading a second, reproducible. */
export function chaosReadings(
  seed: string,
  device: DeviceId,
  options: { readonly rows: number; readonly startMs: number; readonly noise: number },
): readonly Reading[] {
  const random = randomStream(seed, "readings", device);
  return Array.from({ length: options.rows }, (_, row) => {
    const a = 4 * random.uniform() - 2;
    const b = 10 * random.uniform();
    const y = 3 * a - 2 * b + 1 + 0.1 * random.normal();
    const noise = Float32Array.from({ length: options.noise }, () => random.uniform());
    return {
      source: "line",
      entity: device,
      timeMs: options.startMs + row * 1000,
      values: { a, b, noise, y },
    };
  });
}

/** What a version answers for a reading. */
export function answerOf(
  { values }: Reading,
  { params, scaler }: { readonly params: Float32Array; readonly scaler: FittedScaler },
): number {
  const { offset, factor, label } = scaler;
  const row = [values.a, values.b, ...(values.noise as Float32Array)].map(Number);
  const output = row.reduce(
    (sum, value, i) => sum + params[i]! * (value - offset[i]!) * factor[i]!,
    params[row.length]!,
  );
  return output / label.factor + label.offset;
}
