// The declared test set, scored outside the protocol: nothing here costs a byte of traffic or reaches a device.

import type { Agent } from "../device/agent.js";
import { sharedFloats, writeLabel } from "../device/examples/batch.js";
import type { ExampleBatch, Trainer } from "../device/train/trainer.js";
import { Counters } from "../shared/counters.js";
import type { ModelDefinition } from "../shared/model/definition.js";
import { emptyMetricSums, type MetricSums, mergeMetricSums } from "../shared/model/metric.js";
import { createPipeline } from "../shared/pipeline/pipeline.js";
import { scaleInto } from "../shared/pipeline/scaler.js";
import type { Example, FittedScaler, Reading } from "../shared/pipeline/types.js";
import type { Task } from "../shared/task/task.js";

/** Test examples by who is to be judged on them; a given test set is everybody's. */
export interface TestSet {
  /** One batch per device, or the one given batch. */
  readonly batches: readonly ExampleBatch[];
  readonly isGiven: boolean;
  readonly rows: number;
}

/** Examples of a given test set, unscaled: each entity's last one, or all. */
export function givenExamples(task: Task, readings: readonly Reading[]): readonly Example[] {
  const examples: Example[] = [];
  const pipeline = createPipeline(task, {
    counters: new Counters(),
    sink: { features: () => undefined, example: (example) => examples.push(example) },
  });
  for (const reading of readings) pipeline.push(reading);
  pipeline.flush();
  if (task.simulate?.test?.take !== "last") return examples;
  return [...new Map(examples.map((example) => [example.entity, example])).values()];
}

/** The given examples as the model sees them. */
export function givenTestSet(
  examples: readonly Example[],
  definition: ModelDefinition,
  scaler: FittedScaler,
): TestSet {
  const { inputs, outputs } = definition;
  const x = sharedFloats(examples.length * inputs);
  const y = sharedFloats(examples.length * outputs);
  examples.forEach(({ features, label }, row) => {
    scaleInto(scaler, features, x, row * inputs);
    const scaled = x.subarray(row * inputs, (row + 1) * inputs);
    writeLabel(definition, scaler, { label, row: scaled }, y.subarray(row * outputs, (row + 1) * outputs));
  });
  return { batches: [{ rows: examples.length, x, y }], isGiven: true, rows: examples.length };
}

/** Every device's own test examples. */
export async function ownTestSet(agents: Iterable<Agent>, scaler: FittedScaler): Promise<TestSet> {
  const batches: ExampleBatch[] = [];
  for (const agent of agents) batches.push(await agent.scaled("test", scaler));
  return { batches, isGiven: false, rows: batches.reduce((sum, { rows }) => sum + rows, 0) };
}

/** What scores a version. */
export interface Judge {
  readonly trainer: Trainer;
  readonly definition: ModelDefinition;
  readonly testSet: TestSet;
  readonly labelFactor: number;
}

/** Sums over the whole test set with the same params everywhere. */
export async function scoreGlobal(judge: Judge, params: Float32Array): Promise<MetricSums> {
  const all = await Promise.all(judge.testSet.batches.map((examples) => score(judge, params, examples)));
  return all.reduce(mergeMetricSums, emptyMetricSums);
}

/** Sums over the test rows one device is judged on. */
export function scoreDevice(judge: Judge, device: number, params: Float32Array): Promise<MetricSums> {
  const { batches, isGiven } = judge.testSet;
  return score(judge, params, batches[isGiven ? 0 : device]!);
}

async function score(
  { trainer, definition, labelFactor }: Judge,
  params: Float32Array,
  examples: ExampleBatch,
): Promise<MetricSums> {
  return (await trainer.run({ kind: "evaluate", definition, params, examples, labelFactor })).sums;
}
