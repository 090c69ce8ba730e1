// What federated learning has to beat: each device on its own, and no learning at all.

import type { RawExamples } from "../device/examples/batch.js";
import type { ExampleBatch } from "../device/train/trainer.js";
import { emptyMetricSums, type MetricSums, mergeMetricSums, metricValue } from "../shared/model/metric.js";
import type { Example } from "../shared/pipeline/types.js";
import type { MetricName, TrainSpec } from "../shared/task/task.js";
import { type Judge, scoreDevice } from "./test-set.js";

/** One device on its own. */
export interface LoneDevice {
  readonly name: string;
  readonly train: ExampleBatch;
  /** Updates it gave to the federation: it gets as many rounds of local steps here. */
  readonly rounds: number;
}

/** How lone devices did together. */
export interface LocalOnly {
  /** Null when any device diverged: a mean over the others would flatter. */
  readonly value: number | null;
  readonly diverged: readonly string[];
}

/**
 * Trains every device alone from `params`, with the federation's scaler and as many local steps as it made there, and
 * pools the scores of all on the rows each is judged on.
 */
export async function scoreLocalOnly(
  judge: Judge,
  devices: readonly LoneDevice[],
  { params, plan, seed, metric }: { params: Float32Array; plan: TrainSpec; seed: string; metric: MetricName },
): Promise<LocalOnly> {
  const scores = await Promise.all(
    devices.map(async ({ name, train, rounds }, index) => {
      const trained = await trainAlone(judge, { train, rounds, params, plan, seed: `${seed}/${name}` });
      return trained === undefined ? undefined : scoreDevice(judge, index, trained);
    }),
  );
  const diverged = devices.filter((_, index) => !isSound(scores[index])).map(({ name }) => name);
  if (diverged.length > 0) return { value: null, diverged };
  const pooled = scores.reduce<MetricSums>((sum, one) => mergeMetricSums(sum, one!), emptyMetricSums);
  return { value: metricValue(pooled, metric) ?? null, diverged };
}

interface LoneTraining {
  readonly train: ExampleBatch;
  readonly rounds: number;
  readonly params: Float32Array;
  readonly plan: TrainSpec;
  readonly seed: string;
}

// One job of all its rounds: the same number of passes over the same rows.
async function trainAlone(
  { trainer, definition }: Judge,
  { train, rounds, params, plan, seed }: LoneTraining,
): Promise<Float32Array | undefined> {
  if (rounds === 0 || train.rows === 0) return params;
  const result = await trainer.run({
    kind: "train",
    definition,
    params,
    examples: train,
    plan: { ...plan, epochs: plan.epochs * rounds },
    seed,
  });
  return Number.isFinite(result.loss) ? result.params : undefined;
}

function isSound(sums: MetricSums | undefined): boolean {
  return sums !== undefined && Object.values(sums).every(Number.isFinite);
}

/** The rule that needs no learning, and its score. */
export interface Naive {
  readonly rule: "persistence" | "majority" | "mean";
  readonly value: number | null;
}

/** Test rows without their features. */
export interface NaiveRows {
  readonly labels: ArrayLike<number>;
  /** NaN where there is no forecast. */
  readonly persistence: ArrayLike<number>;
}

/** Persistence for a forecast, else the majority class or the mean of all train labels. */
export function scoreNaive(
  rule: Naive["rule"],
  train: readonly ArrayLike<number>[],
  tests: readonly NaiveRows[],
  metric: MetricName,
): Naive {
  const constant = rule === "majority" ? majorityOf(train) : meanOf(train);
  let sums = emptyMetricSums;
  for (const { labels, persistence } of tests) {
    for (let row = 0; row < labels.length; row++) {
      const guess = rule === "persistence" ? persistence[row]! : constant;
      if (Number.isFinite(guess)) sums = addRow(sums, guess, labels[row]!);
    }
  }
  return { rule, value: metricValue(sums, metric) ?? null };
}

/** Raw examples as rows for the naive rule. */
export function naiveRows(source: RawExamples | readonly Example[]): NaiveRows {
  if ("rows" in source) return source;
  return {
    labels: source.map(({ label }) => label),
    persistence: source.map(({ persistence }) => persistence ?? Number.NaN),
  };
}

function addRow(sums: MetricSums, guess: number, label: number): MetricSums {
  const error = guess - label;
  return {
    rows: sums.rows + 1,
    squaredError: sums.squaredError + error * error,
    absoluteError: sums.absoluteError + Math.abs(error),
    loss: sums.loss + error * error,
    correct: sums.correct + (guess === label ? 1 : 0),
  };
}

function meanOf(parts: readonly ArrayLike<number>[]): number {
  let sum = 0;
  let count = 0;
  for (const labels of parts) {
    for (let i = 0; i < labels.length; i++) sum += labels[i]!;
    count += labels.length;
  }
  return sum / count;
}

// The smaller class wins a tie, so that the order of devices does not matter.
function majorityOf(parts: readonly ArrayLike<number>[]): number {
  const counts = new Map<number, number>();
  for (const labels of parts) {
    for (let i = 0; i < labels.length; i++) counts.set(labels[i]!, (counts.get(labels[i]!) ?? 0) + 1);
  }
  const [best] = [...counts].sort(([a, m], [b, n]) => n - m || a - b);
  return best?.[0] ?? Number.NaN;
}
