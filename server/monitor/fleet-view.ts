// What devices report of themselves, and what it comes to for the fleet: evidence on a version in trial, drift, devices
// that drift alone. It only looks; what follows is decided with the rounds.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import { Lru } from "../../shared/lru.js";
import { RateLimit } from "../../shared/rate-limit.js";
import type { DeviceReport } from "../../shared/wire/report.js";
import type { Occurrence, TrialEvidence } from "../round/event.js";
import type { Policy } from "../round/policy.js";
import { isNewFailure } from "../round/rollout.js";
import type { RoundsState } from "../round/state.js";
import { trialDevices } from "../round/trial-reach.js";
import { DriftWatch } from "./drift-watch.js";
import { failureOf, poolEvidence } from "./evidence.js";
import { FreshReports } from "./fresh-reports.js";
import { ReportKeeper } from "./report-keeper.js";
import type { ReceivedReport, ReportStore } from "./report-store.js";

export interface FleetViewOptions {
  readonly store: ReportStore;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** The fleet by its reports, in numbers. */
export interface ReportCounts {
  /** Devices whose report is not out of date, and those of them that drift. */
  readonly reporting: number;
  readonly drifting: number;
  /** Devices whose last report is out of date. */
  readonly silent: number;
  /** When the last one came; undefined: never. */
  readonly newestMs: number | undefined;
}

/** A device reports this many times as often as the task says while much happens; twice that is too often. */
const REPORTS_PER_INTERVAL = 2 * 10;
/** Of a task without a monitor. */
const INTERVAL_MS = 300_000;

/** The last report of every device, at most as many as the policy remembers devices. */
export class FleetView {
  readonly #options: FleetViewOptions;
  readonly #reports: Map<DeviceId, ReceivedReport>;
  /** Undefined where the task does not monitor: nothing that devices say counts. */
  readonly #fresh: FreshReports | undefined;
  readonly #keeper: ReportKeeper;
  readonly #watch: DriftWatch;
  #newestMs: number | undefined;
  readonly #rates: Lru<DeviceId, RateLimit>;

  constructor(options: FleetViewOptions) {
    const { monitor } = options.policy;
    this.#options = options;
    this.#reports = options.store.load();
    this.#fresh = monitor && new FreshReports(monitor);
    this.#keeper = new ReportKeeper(options);
    this.#watch = new DriftWatch(options.policy);
    for (const [device, received] of this.#reports) this.#count(device, received);
    this.#rates = new Lru(options.policy.maxDevices);
  }

  /** By device; the newest is the last. */
  get reports(): ReadonlyMap<DeviceId, ReceivedReport> {
    return this.#reports;
  }

  /** False for who reports far more often than a device does: each report costs a look at the fleet. */
  mayReport(device: DeviceId): boolean {
    const { clock, policy } = this.#options;
    const perSecond = (REPORTS_PER_INTERVAL * 1000) / (policy.monitor?.reportMs ?? INTERVAL_MS);
    const rate = this.#rates.get(device) ?? new RateLimit({ perSecond, burst: REPORTS_PER_INTERVAL });
    this.#rates.set(device, rate);
    return rate.take(clock.now()) === 0;
  }

  /** Takes a device's report instead of the one before. */
  hear(device: DeviceId, report: DeviceReport): void {
    const { clock, policy } = this.#options;
    const received = { report, receivedMs: clock.now() };
    this.#reports.delete(device);
    this.#reports.set(device, received);
    this.#count(device, received);
    this.#keeper.keep(device, received);
    this.#makeRoom(policy.maxDevices);
  }

  /** What reports say that the rounds should hear of: about the device that has just been heard, and the fleet. */
  look(state: RoundsState, device: DeviceId): readonly Occurrence[] {
    const report = this.#reports.get(device)?.report;
    if (this.#fresh === undefined || report === undefined) return [];
    const { isDrifting } = report.drift;
    const nowMs = this.#options.clock.now();
    return [
      ...this.#failure(state, device, nowMs),
      ...this.#watch.look(state, this.#fresh, { device, isDrifting, nowMs }),
    ];
  }

  #failure(state: RoundsState, device: DeviceId, nowMs: number): readonly Occurrence[] {
    const { trial } = state;
    const report = this.#reports.get(device)?.report;
    const failure = trial && report && failureOf(device, report, trial.version);
    if (trial === null || !failure || !isNewFailure(trial, { ...failure, version: trial.version })) return [];
    const isIn = trialDevices(state, { nowMs, policy: this.#options.policy }).includes(device);
    return isIn ? [{ type: "trial-failed", version: trial.version, ...failure }] : [];
  }

  /** How many report, and how many of them drift. */
  counts(): ReportCounts {
    const nowMs = this.#options.clock.now();
    const reporting = this.#fresh?.size(nowMs) ?? 0;
    return {
      reporting,
      drifting: this.#fresh?.drifting(nowMs) ?? 0,
      silent: this.#reports.size - reporting,
      newestMs: this.#newestMs,
    };
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

  /** Writes nothing more. */
  stop(): void {
    this.#keeper.stop();
  }

  #count(device: DeviceId, received: ReceivedReport): void {
    this.#fresh?.put(device, received);
    this.#newestMs = received.receivedMs;
  }

  #makeRoom(limit: number): void {
    for (const device of this.#reports.keys()) {
      if (this.#reports.size <= limit) return;
      this.#reports.delete(device);
      this.#fresh?.remove(device);
      this.#keeper.forget(device);
    }
  }
}
