// One device that drifts has a sensor to look after; a fleet that drifts has a model to learn anew.

import type { DeviceId } from "../../shared/id.js";
import { Lru } from "../../shared/lru.js";
import { isBetter, metricValue } from "../../shared/model/metric.js";
import type { MonitorSpec } from "../../shared/task/task.js";
import type { DeviceReport } from "../../shared/wire/report.js";
import { shareOf } from "../fleet/selection.js";
import type { Occurrence } from "../round/event.js";
import type { Policy } from "../round/policy.js";
import { mayRetrain } from "../round/retrain.js";
import type { RoundsState } from "../round/state.js";
import { freshReports } from "./fresh-reports.js";
import type { ReceivedReport } from "./report-store.js";

/** A metric over fewer labelled rows is beyond no limit. */
const LIMIT_ROWS_MIN = 20;

type Reports = ReadonlyMap<DeviceId, ReceivedReport>;

/** Looks at reports as they come. Remembers only since when each device has drifted. */
export class DriftWatch {
  readonly #policy: Policy;
  readonly #driftingSinceMs: Lru<DeviceId, number>;

  constructor(policy: Policy) {
    this.#policy = policy;
    this.#driftingSinceMs = new Lru(policy.maxDevices);
  }

  /** What the rounds should hear of after the report of `device`. */
  look(
    state: RoundsState,
    reports: Reports,
    { device, nowMs }: { readonly device: DeviceId; readonly nowMs: number },
  ): readonly Occurrence[] {
    const { monitor } = this.#policy;
    const report = reports.get(device)?.report;
    if (monitor === undefined || report === undefined) return [];
    this.#remember(device, report.drift.isDrifting, nowMs);
    // The fleet first: who drifts with it is no sensor gone wrong.
    const retrain = this.#fleetDrift(state, reports, monitor, nowMs);
    if (retrain !== undefined) return [retrain];
    return this.#lone(state, reports, monitor, { device, nowMs });
  }

  #remember(device: DeviceId, isDrifting: boolean, nowMs: number): void {
    if (!isDrifting) this.#driftingSinceMs.delete(device);
    else this.#driftingSinceMs.set(device, this.#driftingSinceMs.get(device) ?? nowMs);
  }

  #fleetDrift(
    state: RoundsState,
    reports: Reports,
    monitor: MonitorSpec,
    nowMs: number,
  ): Occurrence | undefined {
    const { retrain } = monitor;
    if (retrain === undefined || !mayRetrain(state, { nowMs, policy: this.#policy })) return undefined;
    const fresh = freshReports(reports, monitor, nowMs);
    // A report on the version before says nothing about what is served now; its device is one of the fleet all the same.
    const onStable = fresh.filter(({ serving }) => serving?.version === state.stable);
    for (const reason of retrain.when) {
      const said = onStable.filter((report) => says(report, reason, monitor));
      if (said.length === 0 || said.length < shareOf(retrain.share, fresh.length)) continue;
      const sinceMs = median(said.flatMap(({ drift }) => drift.sinceMs ?? []));
      return { type: "retrain", reason, devices: said.length, share: said.length / fresh.length, sinceMs };
    }
    return undefined;
  }

  #lone(
    state: RoundsState,
    reports: Reports,
    monitor: MonitorSpec,
    { device, nowMs }: { readonly device: DeviceId; readonly nowMs: number },
  ): readonly Occurrence[] {
    const { quarantine } = monitor;
    const sinceMs = this.#driftingSinceMs.get(device);
    if (quarantine === undefined) return [];
    if (sinceMs === undefined) {
      return state.quarantined.has(device) ? [{ type: "quarantine-lifted", device }] : [];
    }
    if (state.quarantined.has(device) || nowMs - sinceMs < quarantine.afterMs) return [];
    const fresh = freshReports(reports, monitor, nowMs);
    const drifting = fresh.filter(({ drift }) => drift.isDrifting).length;
    const most = Math.floor(quarantine.share * fresh.length);
    // More than may be set aside are not alone: they are the fleet, whether or not it may learn anew by now.
    if (drifting > most || state.quarantined.size >= most) return [];
    return [{ type: "quarantine", device, reason: "drifts-alone" }];
  }
}

function says(report: DeviceReport, reason: "drift" | "limits", { limits }: MonitorSpec): boolean {
  if (reason === "drift") return report.drift.isDrifting;
  if (report.window.rows < LIMIT_ROWS_MIN) return false;
  return limits.some(({ metric, worst }) => {
    const value = metricValue(report.window, metric);
    return value !== undefined && isBetter(metric, worst, value);
  });
}

/** The lower of the two in the middle; null of none. */
function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? null;
}
