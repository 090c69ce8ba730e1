// What devices report of themselves, and what it comes to for the fleet: evidence on a version in trial, drift, devices
// that drift alone. It only looks; what follows is decided with the rounds.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { DeviceId } from "../../shared/id.js";
import type { DeviceReport } from "../../shared/wire/report.js";
import type { Occurrence, TrialEvidence } from "../round/event.js";
import type { Policy } from "../round/policy.js";
import type { RoundsState } from "../round/state.js";
import { trialDevices } from "../round/trial-reach.js";
import { DriftWatch } from "./drift-watch.js";
import { poolEvidence } from "./evidence.js";
import type { ReceivedReport, ReportStore } from "./report-store.js";

export interface FleetViewOptions {
  readonly store: ReportStore;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** The last report of every device, at most as many as the policy remembers devices. */
export class FleetView {
  readonly #options: FleetViewOptions;
  readonly #reports: Map<DeviceId, ReceivedReport>;
  readonly #watch: DriftWatch;

  constructor(options: FleetViewOptions) {
    this.#options = options;
    this.#reports = options.store.load();
    this.#watch = new DriftWatch(options.policy);
  }

  /** By device; the newest is the last. */
  get reports(): ReadonlyMap<DeviceId, ReceivedReport> {
    return this.#reports;
  }

  /** Takes a device's report instead of the one before. */
  hear(device: DeviceId, report: DeviceReport): void {
    const { clock, counters, policy, store } = this.#options;
    const received = { report, receivedMs: clock.now() };
    this.#reports.delete(device);
    this.#reports.set(device, received);
    try {
      store.keep(device, received);
      this.#makeRoom(policy.maxDevices);
    } catch (error) {
      // A full disk costs what is known after a restart, no more.
      if (!(error instanceof HeadwaterError)) throw error;
      counters.add(`reports.not-kept.${error.code}`);
    }
  }

  /** What reports say that the rounds should hear of: about the device that has just been heard, and the fleet. */
  look(state: RoundsState, device: DeviceId): readonly Occurrence[] {
    return this.#watch.look(state, this.#reports, { device, nowMs: this.#options.clock.now() });
  }

  /** What the devices in trial report on it. */
  evidence(state: RoundsState): TrialEvidence {
    const { clock, policy } = this.#options;
    const nowMs = clock.now();
    return poolEvidence(state, {
      ...{ reports: this.#reports, policy, nowMs },
      devices: trialDevices(state, { nowMs, policy }),
    });
  }

  #makeRoom(limit: number): void {
    for (const device of this.#reports.keys()) {
      if (this.#reports.size <= limit) return;
      this.#reports.delete(device);
      this.#options.store.forget(device);
    }
  }
}
