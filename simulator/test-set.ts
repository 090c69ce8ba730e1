// The declared test set, scored outside the protocol: nothing here costs a byte of traffic or reaches a device.

import type { Agent } from "../device/agent.js";
import { sharedFloats, writeLabel } from "../device/examples/batch.js";
import { EVALUATE_ROWS, type ExampleBatch, type Trainer } from "../device/train/trainer.js";
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

/** Examples that come with the data, unscaled. */
export interface GivenExamples {
  readonly rows: number;
  /** rows x columns */
  readonly features: Float32Array;
  readonly labels: Float64Array;
  /** The persistence forecast, NaN where the label is no forecast. */
  readonly persistence: Float64Array;
}

/** Examples of a given test set, if there is one, unscaled: each entity's last one, or all. */
export function givenExamples(
  task: Task,
  readings: readonly Reading[] | undefined,
): GivenExamples | undefined {
  if (readings === undefined) return undefined;
  const examples: Example[] = [];
  const pipeline = createPipeline(task, {
    counters: new Counters(),
    sink: { features: () => undefined, example: (example) => examples.push(example) },
  });
  for (const reading of readings) pipeline.push(reading);
  pipeline.flush();
  if (task.simulate?.test?.take !== "last") return gather(examples);
  return gather([...new Map(examples.map((example) => [example.entity, example])).values()]);
}

// In one array: they stay until the end, and thousands of small ones would be work for the garbage collector all along.
function gather(examples: readonly Example[]): GivenExamples {
  const columns = examples[0]?.features.length ?? 0;
  const features = new Float32Array(examples.length * columns);
  examples.forEach((example, row) => {
    features.set(example.features, row * columns);
  });
  return {
    rows: examples.length,
    features,
    labels: Float64Array.from(examples, ({ label }) => label),
    persistence: Float64Array.from(examples, ({ persistence }) => persistence ?? Number.NaN),
  };
}

/** The given examples as the model sees them. */
export function givenTestSet(
  { rows, features, labels }: GivenExamples,
  definition: ModelDefinition,
  scaler: FittedScaler,
): TestSet {
  const { inputs, outputs } = definition;
  const x = sharedFloats(rows * inputs);
  const y = sharedFloats(rows * outputs);
  labels.forEach((label, row) => {
    const scaled = x.subarray(row * inputs, (row + 1) * inputs);
    scaleInto(scaler, features.subarray(row * inputs, (row + 1) * inputs), scaled, 0);
    writeLabel(definition, scaler, { label, row: scaled }, y.subarray(row * outputs, (row + 1) * outputs));
  });
  return { batches: [{ rows, x, y }], isGiven: true, rows };
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

/** Parts of a test set under way at once. */
const LANES = 8;

/** Sums over the whole test set with the same params everywhere; all threads of the trainer take part. */
export async function scoreGlobal(judge: Judge, params: Float32Array): Promise<MetricSums> {
  const parts = judge.testSet.batches.map(partsOf);
  const scored = await inLanes(parts.flat(), (part) => score(judge, params, part));
  const sums = scored.values();
  // Batch by batch, as if each had been scored in one go: sums of floats depend on their order.
  return parts
    .map((ofBatch) => ofBatch.reduce((sum) => mergeMetricSums(sum, sums.next().value!), emptyMetricSums))
    .reduce(mergeMetricSums, emptyMetricSums);
}

/** Sums over the test rows one device is judged on. */
export function scoreDevice(judge: Judge, device: number, params: Float32Array): Promise<MetricSums> {
  const { batches, isGiven } = judge.testSet;
  return score(judge, params, batches[isGiven ? 0 : device]!);
}

/** Views of a batch, cut where the sums over it are: a part's are the same bits as in one go. */
function partsOf({ rows, x, y }: ExampleBatch): ExampleBatch[] {
  return Array.from({ length: Math.ceil(rows / EVALUATE_ROWS) }, (_, part) => {
    const from = part * EVALUATE_ROWS;
    const to = Math.min(rows, from + EVALUATE_ROWS);
    const cut = (values: Float32Array) => {
      const width = values.length / rows;
      return values.subarray(from * width, to * width);
    };
    return { rows: to - from, x: cut(x), y: cut(y) };
  });
}

/** Results in the order of `items`. */
async function inLanes<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at]!);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
}

async function score(
  { trainer, definition, labelFactor }: Judge,
  params: Float32Array,
  examples: ExampleBatch,
): Promise<MetricSums> {
  return (await trainer.run({ kind: "evaluate", definition, params, examples, labelFactor })).sums;
}
