// What federated learning has to beat: each device on its own, and no learning at all.

import type { RawExamples } from "../device/examples/batch.js";
import type { ExampleBatch } from "../device/train/trainer.js";
import {
  emptyMetricSums,
  isFiniteSums,
  type MetricSums,
  mergeMetricSums,
  metricValue,
} from "../shared/model/metric.js";
import type { Example } from "../shared/pipeline/types.js";
import type { MetricName, TrainSpec } from "../shared/task/task.js";
import { type Judge, scoreDevice } from "./test-set.js";

/** One device on its own. */
export interface LoneDevice {
  readonly name: string;
  readonly train: ExampleBatch;
  /** Local steps it made for the federation: it makes as many here. */
  readonly steps: number;
}

/** How lone devices did together. */
export interface LocalOnly {
  /** Null when any device diverged: a mean over the others would flatter. */
  readonly value: number | null;
  /** Devices that took part in the federation, and so were trained alone. */
  readonly devices: number;
  readonly diverged: readonly string[];
}

/** Where every lone device starts, and how it learns. */
export interface LoneStart {
  readonly params: Float32Array;
  readonly plan: TrainSpec;
  readonly seed: string;
  readonly metric: MetricName;
}

/**
 * Trains every device alone from the federation's first params, with its scaler and as many local steps as the device
 * made for it, and pools the scores of all on the rows each is judged on. Devices that made no step are left out: there
 * is nothing to compare.
 */
export async function scoreLocalOnly(
  judge: Judge,
  devices: readonly LoneDevice[],
  start: LoneStart,
): Promise<LocalOnly> {
  const scores = await Promise.all(
    devices.map(async (device, index) => {
      if (device.steps === 0 || device.train.rows === 0) return "idle";
      const trained = await trainAlone(judge, device, start);
      return trained === undefined ? undefined : scoreDevice(judge, index, trained);
    }),
  );
  const trained = scores.filter((score) => score !== "idle");
  const diverged = devices.filter((_, index) => !isSound(scores[index])).map(({ name }) => name);
  if (diverged.length > 0) return { value: null, devices: trained.length, diverged };
  const pooled = trained.reduce<MetricSums>((sum, one) => mergeMetricSums(sum, one!), emptyMetricSums);
  return { value: metricValue(pooled, start.metric) ?? null, devices: trained.length, diverged };
}

// In sessions like those of rounds, each with a fresh optimizer; undefined when it diverges.
async function trainAlone(
  { trainer, definition }: Judge,
  { name, train, steps }: LoneDevice,
  { params: first, plan, seed }: LoneStart,
): Promise<Float32Array | undefined> {
  const perEpoch = Math.ceil(train.rows / plan.batch);
  let params = first;
  let left = steps;
  for (let session = 0; left > 0; session++) {
    const epochs = Math.min(plan.epochs, Math.floor(left / perEpoch));
    // Less than an epoch is left: so many batches of the newest rows.
    const examples = epochs > 0 ? train : newestRows(train, left * plan.batch);
    const result = await trainer.run({
      kind: "train",
      ...{ definition, params, examples },
      plan: { ...plan, epochs: Math.max(epochs, 1) },
      seed: JSON.stringify([seed, "alone", name, session]),
    });
    if (!Number.isFinite(result.loss)) return undefined;
    params = result.params;
    left -= result.steps;
  }
  return params;
}

function newestRows({ rows, x, y }: ExampleBatch, count: number): ExampleBatch {
  const from = rows - Math.min(rows, count);
  return {
    rows: rows - from,
    x: x.subarray((from * x.length) / rows),
    y: y.subarray((from * y.length) / rows),
  };
}

function isSound(score: MetricSums | "idle" | undefined): boolean {
  return score === "idle" || (score !== undefined && isFiniteSums(score));
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

/** Persistence for a forecast (rows without one are left out), else the majority class or the mean of all train labels. */
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
