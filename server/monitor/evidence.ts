// Reports on a version in trial: what each device in it says, one voice each, and what all say together.
//
// Sums over devices are for people to read. Nothing is decided by them: whoever lies about its rows would outweigh the rest.

import type { DeviceId } from "../../shared/id.js";
import { emptyMetricSums, mergeMetricSums, metricValue, regression } from "../../shared/model/metric.js";
import type { DeviceReport } from "../../shared/wire/report.js";
import { TRIAL_FAILURES_MAX, type TrialEvidence, type TrialFailure } from "../round/event.js";
import type { Policy } from "../round/policy.js";
import type { RoundsState, TrialState } from "../round/state.js";
import { rowsWanted } from "../round/trial-check.js";
import type { ReceivedReport } from "./report-store.js";

/** A device with fewer rows says nothing about invalid answers or latency. */
const ROWS_MIN = 20;

type Side = NonNullable<DeviceReport["serving"]>;

/** What pooling looks at. */
export interface Pool {
  readonly reports: ReadonlyMap<DeviceId, ReceivedReport>;
  readonly policy: Policy;
  readonly nowMs: number;
  /** In the trial. */
  readonly devices: readonly DeviceId[];
}

/** Pools; without a trial there is nothing. */
export function poolEvidence({ trial, stable }: RoundsState, pool: Pool): TrialEvidence {
  const { reports, policy, nowMs, devices } = pool;
  const sinceMs = nowMs - policy.rollout.guard.silentMs;
  const recent = devices.flatMap((device) => {
    const received = reports.get(device);
    return received !== undefined && received.receivedMs >= sinceMs ? [{ device, ...received }] : [];
  });
  const failures = recent.flatMap(
    ({ device, report }) => failureOf(device, report, trial?.version ?? 0) ?? [],
  );
  // Where it does not work it is not judged any further.
  const pairs = recent
    .filter(({ device }) => !failures.some((failure) => failure.device === device))
    .flatMap(({ report }) => pairOf(report, trial, stable) ?? []);
  const tried = sumSides(pairs.map((pair) => pair.tried));
  const kept = sumSides(pairs.flatMap((pair) => pair.kept ?? []));
  const { metric } = policy.rollout.gate;
  // Each device answers for its share of the rows that are wanted.
  const rowsEach = trial === null ? 0 : Math.ceil(rowsWanted(trial, policy) / Math.max(1, devices.length));
  const words = pairs.map((pair) => wordOf(pair, policy, rowsEach));
  const count = (is: (word: Word) => boolean) => words.filter(is).length;
  return {
    devices: devices.length,
    reporting: pairs.length,
    // Who reports that it failed is not silent.
    silent: devices.length - pairs.length - failures.length,
    failed: failures.length,
    failures: failures.slice(0, TRIAL_FAILURES_MAX),
    votes: {
      invalid: count((word) => word.isInvalid),
      slow: count((word) => word.isSlow),
      judged: count((word) => word.isWorse !== undefined),
      worse: count((word) => word.isWorse === true),
      good: count((word) => !word.isInvalid && !word.isSlow && word.isWorse === false),
    },
    rows: tried.rows,
    invalid: tried.invalid,
    latencyRatio: median(pairs.flatMap((pair) => latencyRatio(pair) ?? [])),
    labelled: Math.min(tried.labelled.rows, kept.labelled.rows),
    value: metricValue(tried.labelled, metric) ?? null,
    reference: metricValue(kept.labelled, metric) ?? null,
    regression: median(words.flatMap((word) => word.regression ?? [])),
  };
}

/** Why a version does not work on a device, as it says itself; undefined when it says nothing of the kind. */
export function failureOf(
  device: DeviceId,
  { failed, failures = [] }: DeviceReport,
  version: number,
): TrialFailure | undefined {
  if (version === 0) return undefined;
  const told = failures.find((failure) => failure.version === version);
  if (told !== undefined) return { device, reason: told.reason, detail: told.detail };
  return failed.includes(version) ? { device, reason: "failed", detail: "" } : undefined;
}

interface Pair {
  readonly tried: Side;
  readonly kept: Side | undefined;
}

/** The version in trial and stable as one device has them; undefined when it has not taken up the trial. */
function pairOf(
  { serving, beside }: DeviceReport,
  trial: TrialState | null,
  stable: number,
): Pair | undefined {
  const sides = [serving, beside].filter((side) => side !== null);
  const tried = trial?.mode === "canary" ? serving : beside;
  if (trial === null || tried?.version !== trial.version) return undefined;
  return { tried, kept: sides.find(({ version }) => version === stable) };
}

/** What one device says of the version; what it cannot say yet is undefined. */
interface Word {
  readonly isInvalid: boolean;
  readonly isSlow: boolean;
  readonly isWorse: boolean | undefined;
  readonly regression: number | undefined;
}

function wordOf(pair: Pair, { rollout }: Policy, rowsEach: number): Word {
  const { gate, guard } = rollout;
  const { tried, kept } = pair;
  const ratio = latencyRatio(pair);
  const labelled = Math.min(tried.labelled.rows, kept?.labelled.rows ?? 0);
  const worse = labelled === 0 ? undefined : worsening(pair, gate.metric);
  return {
    isInvalid: tried.rows >= ROWS_MIN && tried.invalid > guard.invalid * tried.rows,
    isSlow: ratio !== undefined && ratio > guard.latency,
    isWorse: labelled < rowsEach ? undefined : worse !== undefined && worse > guard.maxRegression,
    regression: worse,
  };
}

/** Relative to stable on the same rows; infinite where only stable has a number: the version has diverged. */
function worsening({ tried, kept }: Pair, metric: Policy["rollout"]["gate"]["metric"]): number | undefined {
  const value = metricValue(tried.labelled, metric);
  const reference = kept && metricValue(kept.labelled, metric);
  if (reference === undefined) return undefined;
  return value === undefined ? Number.POSITIVE_INFINITY : regression(metric, value, reference);
}

function latencyRatio({ tried, kept }: Pair): number | undefined {
  const [a, b] = [meanUs(tried), kept && meanUs(kept)];
  return a === undefined || b === undefined || tried.rows < ROWS_MIN ? undefined : a / b;
}

function meanUs({ rows, totalUs }: Pick<Side, "rows" | "totalUs">): number | undefined {
  return rows === 0 || totalUs === 0 ? undefined : totalUs / rows;
}

type Sums = Pick<Side, "rows" | "invalid" | "labelled">;

function sumSides(sides: readonly Side[]): Sums {
  const none: Sums = { rows: 0, invalid: 0, labelled: emptyMetricSums };
  return sides.reduce<Sums>(
    (sum, side) => ({
      rows: sum.rows + side.rows,
      invalid: sum.invalid + side.invalid,
      labelled: mergeMetricSums(sum.labelled, side.labelled),
    }),
    none,
  );
}

/** The lower of the two in the middle; null of none, and of what is no finite number. */
function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.ceil(sorted.length / 2) - 1];
  // JSON, in which the evidence is journaled, has no infinity.
  return middle !== undefined && Number.isFinite(middle) ? middle : null;
}
