// Reports on a version in trial, pooled over the devices in it.

import type { DeviceId } from "../../shared/id.js";
import { emptyMetricSums, mergeMetricSums, metricValue } from "../../shared/model/metric.js";
import type { DeviceReport } from "../../shared/wire/report.js";
import type { TrialEvidence } from "../round/event.js";
import type { Policy } from "../round/policy.js";
import type { RoundsState, TrialState } from "../round/state.js";
import type { ReceivedReport } from "./report-store.js";

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
    return received !== undefined && received.receivedMs >= sinceMs ? [received.report] : [];
  });
  const failed = recent.filter((report) => trial !== null && report.failed.includes(trial.version)).length;
  const pairs = recent.flatMap((report) => pairOf(report, trial, stable) ?? []);
  const tried = sumSides(pairs.map((pair) => pair.tried));
  const kept = sumSides(pairs.flatMap((pair) => pair.kept ?? []));
  const { metric } = policy.rollout.gate;
  return {
    devices: devices.length,
    reporting: pairs.length,
    // Who reports that it failed is not silent.
    silent: devices.length - pairs.length - failed,
    failed,
    rows: tried.rows,
    invalid: tried.invalid,
    latencyRatio: ratio(meanUs(tried), meanUs(kept)),
    labelled: Math.min(tried.labelled.rows, kept.labelled.rows),
    value: metricValue(tried.labelled, metric) ?? null,
    reference: metricValue(kept.labelled, metric) ?? null,
  };
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

type Sums = Omit<Side, "version">;

function sumSides(sides: readonly Side[]): Sums {
  const none: Sums = { rows: 0, invalid: 0, totalUs: 0, labelled: emptyMetricSums };
  return sides.reduce<Sums>(
    (sum, side) => ({
      rows: sum.rows + side.rows,
      invalid: sum.invalid + side.invalid,
      totalUs: sum.totalUs + side.totalUs,
      labelled: mergeMetricSums(sum.labelled, side.labelled),
    }),
    none,
  );
}

function meanUs({ rows, totalUs }: Sums): number | null {
  return rows === 0 || totalUs === 0 ? null : totalUs / rows;
}

function ratio(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a / b;
}
