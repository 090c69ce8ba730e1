// Small models, examples and jobs for tests of training.

import type { EvaluateJob, ExampleBatch, TrainJob } from "../../device/train/trainer.js";
import { defineModel } from "../../shared/model/define.js";
import type { ModelDefinition } from "../../shared/model/definition.js";
import { randomStream } from "../../shared/random.js";
import type { ModelSpec, TrainSpec } from "../../shared/task/task.js";

type DenseSpec = Extract<ModelSpec, { kind: "dense" }>;

/** A dense network: regression with one hidden layer of 8 over 3 columns, unless told otherwise. */
export function denseModel(changes: Partial<DenseSpec> = {}, inputs = 3): ModelDefinition {
  const output = { kind: "regression", loss: "meanSquaredError" } as const;
  return defineModel({ kind: "dense", hidden: [8], activation: "relu", output, ...changes }, inputs);
}

/** Reproducible examples that fit `definition`: uniform features, a noisy linear label (binary: its sign) or a random class. */
export function makeExamples(definition: ModelDefinition, rows: number, seed = "examples"): ExampleBatch {
  const { inputs, outputs } = definition;
  const random = randomStream(seed, "test");
  const x = Float32Array.from({ length: rows * inputs }, () => 2 * random.uniform() - 1);
  const y = new Float32Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    if (outputs > 1) y[row * outputs + random.integer(outputs)] = 1;
    else y[row] = x[row * inputs]! - 0.5 * x[(row + 1) * inputs - 1]! + 0.1 * random.normal();
    if (definition.output.kind === "binary") y[row] = Number(y[row]! > 0);
  }
  return { rows, x, y };
}

/** A train job over `rows` examples from `params`. */
export function trainJob(
  definition: ModelDefinition,
  params: Float32Array,
  changes: Partial<TrainSpec> & { readonly rows?: number; readonly seed?: string } = {},
): TrainJob {
  const { rows = 50, seed = "job", ...plan } = changes;
  return {
    kind: "train",
    definition,
    params,
    examples: makeExamples(definition, rows),
    plan: { epochs: 2, batch: 8, optimizer: { kind: "sgd", learningRate: 0.05 }, ...plan },
    seed,
  };
}

/** A job that scores `params` on `rows` examples. */
export function evaluateJob(definition: ModelDefinition, params: Float32Array, rows = 50): EvaluateJob {
  return { kind: "evaluate", definition, params, examples: makeExamples(definition, rows), labelFactor: 1 };
}

/** The largest difference between two arrays of one length. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, at) => Math.max(largest, Math.abs(value - b[at]!)), 0);
}
