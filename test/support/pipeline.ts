// Pipelines under test: small tasks, readings in, everything that came out.

import { Counters } from "../../shared/counters.js";
import type { Input, StepContext, StepOperator } from "../../shared/pipeline/operators/port.js";
import { featureOperators, stepOperators } from "../../shared/pipeline/operators/registry.js";
import { createPipeline, type Pipeline, type PipelineLimits } from "../../shared/pipeline/pipeline.js";
import type { Example, FeatureRow, PipelineRow, Reading, Value } from "../../shared/pipeline/types.js";
import { taskSchema } from "../../shared/task/schema/task.js";
import type { Task } from "../../shared/task/task.js";

export const HOUR_MS = 3_600_000;

/** A small regression task over the source `air`; `parts` replace whole parts of it. */
export function taskOf(parts: Readonly<Record<string, unknown>> = {}): Task {
  return taskSchema.parse({
    task: "test",
    sources: { air: {} },
    features: { from: "air", list: [{ copy: "x" }] },
    label: { field: "x" },
    rows: { split: { validation: "0%" } },
    model: { dense: [4], output: "regression" },
    train: { epochs: 1, batch: 8, optimizer: { sgd: 0.01 } },
    rounds: { cohort: "all", quorum: "80%", deadline: "10m", max: 3 },
    ...parts,
  });
}

/** A reading of `air`. */
export function reading(timeMs: number, values: Reading["values"], entity = "a"): Reading {
  return { source: "air", entity, timeMs, values };
}

/** Everything that came out of a pipeline. */
export interface Collected {
  readonly pipeline: Pipeline;
  readonly counters: Counters;
  readonly features: FeatureRow[];
  readonly examples: Example[];
}

/** A pipeline whose output is collected. */
export function collect(task: Task, limits: Partial<PipelineLimits> = {}): Collected {
  const counters = new Counters();
  const features: FeatureRow[] = [];
  const examples: Example[] = [];
  const sink = {
    features: (row: FeatureRow) => void features.push(row),
    example: (example: Example) => void examples.push(example),
  };
  return { pipeline: createPipeline(task, { counters, sink, limits }), counters, features, examples };
}

/** Pushes all readings, then flushes. */
export function runAll(task: Task, readings: readonly Reading[]): Collected {
  const collected = collect(task);
  for (const each of readings) collected.pipeline.push(each);
  collected.pipeline.flush();
  return collected;
}

/** A row of entity `a`. */
export function row(timeMs: number, ...values: readonly Value[]): PipelineRow {
  return { entity: "a", timeMs, values, filled: undefined, test: false };
}

/** Number fields. */
export function numbers(...names: readonly string[]): Input {
  return { fields: names.map((name) => ({ name, length: 1 })), spacingMs: undefined };
}

/** A step operator at work, its output collected. */
export function stepOf(name: string, written: unknown, input: Input) {
  const operator: StepOperator = stepOperators[name]!;
  const params = operator.params.parse(written);
  const rows: PipelineRow[] = [];
  const counters = new Counters();
  const context: StepContext = { counters, emit: (out) => void rows.push(out) };
  return {
    instance: operator.create(params, input, context),
    output: operator.output(params, input),
    rows,
    counters,
  };
}

/** A feature operator at work: answers the columns of each row it is given, or why there are none. */
export function featureOf(name: string, written: unknown, input: Input) {
  const operator = featureOperators[name]!;
  const params = operator.params.parse(written);
  const columns = operator.columns(params, input);
  const counters = new Counters();
  const computer = operator.create(params, input, counters);
  const push = (next: PipelineRow) => {
    const out = new Float32Array(columns.length);
    const state = computer.push(next, out, 0);
    return state === "complete" ? [...out] : state;
  };
  return { columns, push, counters };
}
