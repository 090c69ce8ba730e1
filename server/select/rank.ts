// Candidates compared on the very same rows of the very same devices: paired differences, and how sure they are.

import type { DeviceId } from "../../shared/id.js";
import {
  emptyMetricSums,
  gainOver,
  isBetter,
  type MetricSums,
  mergeMetricSums,
  metricValue,
} from "../../shared/model/metric.js";
import { randomStream } from "../../shared/random.js";
import type { MetricName } from "../../shared/task/task.js";

/** Resamples of a bootstrap: fewer of a large fleet, whose mean needs no more. */
const RESAMPLES_MAX = 1_000;
const RESAMPLES_MIN = 200;
const DRAWS_MAX = 1_000_000;
/** Two-sided. */
const CONFIDENCE = 0.95;

/** What one device's held-out rows say of each candidate, in the candidates' order. */
export interface DeviceScores {
  readonly device: DeviceId;
  readonly sums: readonly MetricSums[];
  readonly elapsedMs: readonly number[];
}

/** A candidate's score over the devices that scored all of them. */
export interface Standing {
  /** Place in the order given. */
  readonly index: number;
  /** Pooled over devices; undefined when its errors were no numbers on some device. */
  readonly value: number | undefined;
  /** As good as this, or better, on nine devices of ten. */
  readonly worst: number | undefined;
  /** Mean over devices, weighted by rows: what candidates are ordered by. */
  readonly mean: number | undefined;
  readonly rows: number;
  readonly devices: number;
  /** Mean time to score a row, 0 where no time has passed. */
  readonly rowMs: number;
}

/** How much better one candidate is than another on the same devices, and where that lies (percentile bootstrap). */
export interface PairedGain {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Candidates, the best first; equal ones by fewer parameters. Undefined when no device has a value for all of them. */
export function rankCandidates(
  scores: readonly DeviceScores[],
  metric: MetricName,
  parameters: readonly number[],
): readonly Standing[] | undefined {
  const compared = comparedScores(scores, metric);
  const standings = parameters.map((_, index) => standingOf(index, { scores, compared, metric }));
  const isRanked = standings.some(({ mean }) => mean !== undefined);
  if (!isRanked) return undefined;
  return standings.sort(
    (a, b) =>
      compareValues(metric, a.mean, b.mean) ||
      parameters[a.index]! - parameters[b.index]! ||
      a.index - b.index,
  );
}

interface Comparison {
  readonly metric: MetricName;
  readonly scores: readonly DeviceScores[];
  /** Of these, the ones that can be compared. */
  readonly compared: readonly DeviceScores[];
}

function standingOf(index: number, { metric, scores, compared }: Comparison): Standing {
  const own = scores.map(({ sums }) => sums[index]!);
  const pooled = own.reduce(mergeMetricSums, emptyMetricSums);
  const hasFailed = scores.some((each) => isFailed(each, index));
  const elapsedMs = scores.reduce((sum, each) => sum + (each.elapsedMs[index] ?? 0), 0);
  const values = compared.map(({ sums }) => ({
    rows: sums[index]!.rows,
    value: metricValue(sums[index]!, metric),
  }));
  return {
    index,
    value: hasFailed ? undefined : metricValue(pooled, metric),
    worst: hasFailed
      ? undefined
      : worstOf(
          values.flatMap(({ value }) => value ?? []),
          metric,
        ),
    mean: hasFailed ? undefined : weightedMean(values),
    rows: pooled.rows,
    devices: compared.length,
    rowMs: pooled.rows === 0 ? 0 : elapsedMs / pooled.rows,
  };
}

/** How much better candidate `a` is than `b`, device by device. Undefined for fewer than two devices: one says nothing of others. */
export function pairedGain(
  scores: readonly DeviceScores[],
  [a, b]: readonly [number, number],
  { metric, seed, rung }: { readonly metric: MetricName; readonly seed: string; readonly rung: number },
): PairedGain | undefined {
  const gains = comparedScores(scores, metric).flatMap(({ sums }) => {
    const [left, right] = [metricValue(sums[a]!, metric), metricValue(sums[b]!, metric)];
    if (left === undefined || right === undefined) return [];
    return [{ rows: sums[a]!.rows, value: gainOver(metric, left, right) }];
  });
  const mean = weightedMean(gains);
  if (gains.length < 2 || mean === undefined) return undefined;
  const means = resample(gains, randomStream(seed, "paired-gain", rung, a, b));
  const tail = (1 - CONFIDENCE) / 2;
  const at = (share: number) => means[Math.min(means.length - 1, Math.floor(share * means.length))]!;
  return { mean, low: at(tail), high: at(1 - tail) };
}

interface Weighted {
  readonly rows: number;
  readonly value: number | undefined;
}

/** Efron and Tibshirani 1993, ch. 13: devices are drawn with replacement, each with all its rows. */
function resample(gains: readonly Weighted[], random: ReturnType<typeof randomStream>): Float64Array {
  const count = Math.min(RESAMPLES_MAX, Math.max(RESAMPLES_MIN, Math.floor(DRAWS_MAX / gains.length)));
  const means = new Float64Array(count);
  for (let sample = 0; sample < count; sample++) {
    let rows = 0;
    let sum = 0;
    for (let draw = 0; draw < gains.length; draw++) {
      const gain = gains[random.integer(gains.length)]!;
      rows += gain.rows;
      sum += gain.rows * (gain.value ?? 0);
    }
    means[sample] = sum / rows;
  }
  return means.sort();
}

/** Devices on which every candidate that works has a value: without a label 1, say, there is no recall. */
function comparedScores(scores: readonly DeviceScores[], metric: MetricName): readonly DeviceScores[] {
  const count = scores[0]?.sums.length ?? 0;
  const works = Array.from({ length: count }, (_, index) => !scores.some((each) => isFailed(each, index)));
  return scores.filter(({ sums }) =>
    sums.every((each, index) => !works[index] || metricValue(each, metric) !== undefined),
  );
}

// The others have rows on this device, it has none: its errors were no numbers.
function isFailed({ sums }: DeviceScores, index: number): boolean {
  return sums[index]!.rows === 0 && sums.some(({ rows }) => rows > 0);
}

function weightedMean(values: readonly Weighted[]): number | undefined {
  const rows = values.reduce((sum, each) => sum + each.rows, 0);
  if (rows === 0 || values.some(({ value }) => value === undefined)) return undefined;
  return values.reduce((sum, each) => sum + each.rows * (each.value ?? 0), 0) / rows;
}

function worstOf(values: readonly number[], metric: MetricName): number | undefined {
  const sorted = values.toSorted((a, b) => compareValues(metric, a, b));
  return sorted[Math.ceil(0.9 * sorted.length) - 1];
}

/** Orders values of a metric, the best first; what is no number comes last. */
export function compareValues(metric: MetricName, a: number | undefined, b: number | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  if (a === b) return 0;
  return isBetter(metric, a, b) ? -1 : 1;
}
