// One device that drifts has a sensor to look after; a fleet that drifts has a model to learn anew.

import type { DeviceId } from "../../shared/id.js";
import { Lru } from "../../shared/lru.js";
import type { MonitorSpec } from "../../shared/task/task.js";
import { shareOf } from "../fleet/selection.js";
import type { Occurrence } from "../round/event.js";
import type { Policy } from "../round/policy.js";
import { mayRetrain } from "../round/retrain.js";
import type { RoundsState } from "../round/state.js";
import type { FreshReports } from "./fresh-reports.js";

/** The device whose report has just come. */
interface Heard {
  readonly device: DeviceId;
  readonly isDrifting: boolean;
  readonly nowMs: number;
}

/** Reports in a row without drift after which a device that was set aside is let in again. */
const CALM_REPORTS = 3;

/** Looks at reports as they come. Remembers only since when each device has drifted, and how calm those set aside are. */
export class DriftWatch {
  readonly #policy: Policy;
  readonly #driftingSinceMs: Lru<DeviceId, number>;
  readonly #calmReports: Lru<DeviceId, number>;

  constructor(policy: Policy) {
    this.#policy = policy;
    this.#driftingSinceMs = new Lru(policy.maxDevices);
    this.#calmReports = new Lru(policy.maxDevices);
  }

  /** What the rounds should hear of after the report of `device`, which is one of `fresh`. */
  look(state: RoundsState, fresh: FreshReports, { device, isDrifting, nowMs }: Heard): readonly Occurrence[] {
    const { monitor } = this.#policy;
    if (monitor === undefined) return [];
    this.#remember(device, isDrifting, nowMs);
    // The fleet first: who drifts with it is no sensor gone wrong.
    const retrain = this.#fleetDrift(state, fresh, monitor, nowMs);
    if (retrain !== undefined) return [retrain];
    return this.#lone(state, fresh, monitor, { device, nowMs });
  }

  #remember(device: DeviceId, isDrifting: boolean, nowMs: number): void {
    if (!isDrifting) this.#driftingSinceMs.delete(device);
    else this.#driftingSinceMs.set(device, this.#driftingSinceMs.get(device) ?? nowMs);
  }

  #fleetDrift(
    state: RoundsState,
    fresh: FreshReports,
    monitor: MonitorSpec,
    nowMs: number,
  ): Occurrence | undefined {
    const { retrain } = monitor;
    if (retrain === undefined || !mayRetrain(state, { nowMs, policy: this.#policy })) return undefined;
    const all = fresh.size(nowMs);
    for (const reason of retrain.when) {
      // A report on the version before says nothing about what is served now; its device is one of the fleet all the same.
      const saying = { reason, version: state.stable };
      const devices = fresh.saying(nowMs, saying);
      if (devices === 0 || devices < shareOf(retrain.share, all)) continue;
      const sinceMs = median(fresh.whoSay(nowMs, saying).flatMap(({ drift }) => drift.sinceMs ?? []));
      return { type: "retrain", reason, devices, share: devices / all, sinceMs };
    }
    return undefined;
  }

  #lone(
    state: RoundsState,
    fresh: FreshReports,
    monitor: MonitorSpec,
    { device, nowMs }: Omit<Heard, "isDrifting">,
  ): readonly Occurrence[] {
    const { quarantine } = monitor;
    const sinceMs = this.#driftingSinceMs.get(device);
    if (quarantine === undefined) return [];
    if (!state.quarantined.has(device)) this.#calmReports.delete(device);
    else if (sinceMs !== undefined) this.#calmReports.set(device, 0);
    else {
      const calm = (this.#calmReports.get(device) ?? 0) + 1;
      this.#calmReports.set(device, calm);
      return calm >= CALM_REPORTS ? [{ type: "quarantine-lifted", device }] : [];
    }
    if (sinceMs === undefined) return [];
    if (state.quarantined.has(device) || nowMs - sinceMs < quarantine.afterMs) return [];
    const most = Math.floor(quarantine.share * fresh.size(nowMs));
    // More than may be set aside are not alone: they are the fleet, whether or not it may learn anew by now.
    if (fresh.drifting(nowMs) > most || state.quarantined.size >= most) return [];
    return [{ type: "quarantine", device, reason: "drifts-alone" }];
  }
}

/** The lower of the two in the middle; null of none. */
function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? null;
}
