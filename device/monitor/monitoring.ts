// A deployment's monitor at work: fed by pipeline and predictor, and its reports sent. Without `monitor` in the task there is
// none of it.

import type { Clock } from "../../shared/clock.js";
import type { DeviceId } from "../../shared/id.js";
import type { Saved, Stateful } from "../../shared/pipeline/state.js";
import type { Example, FeatureRow } from "../../shared/pipeline/types.js";
import { randomStream } from "../../shared/random.js";
import { canonicalJson, sha256Hex } from "../../shared/task/canonical.js";
import type { DeviceReport } from "../../shared/wire/report.js";
import type { DeviceFact, Observe } from "../fact.js";
import type { Verdicts } from "../infer/predictor.js";
import type { Releases } from "../release/releases.js";
import { Monitor, type MonitorOptions, type MonitorView } from "./monitor.js";
import { QualityMeter } from "./quality.js";
import { reportOf } from "./report.js";
import { Reporter } from "./reporter.js";
import { type ProcessUsage, unknownUsage } from "./usage.js";

export interface MonitoringOptions extends MonitorOptions {
  readonly deviceId: DeviceId;
  readonly seed: string;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly releases: Releases;
  readonly usage?: (() => ProcessUsage) | undefined;
  /** Stored examples, and rows that wait for their label. */
  readonly stock: () => Pick<DeviceReport["resources"], "examples" | "unlabelled">;
  readonly send: (report: DeviceReport) => void;
}

/** A monitor's view, with the state of the data. */
export interface MonitorSnapshot extends MonitorView {
  readonly quality: DeviceReport["quality"];
}

type DriftFact = Extract<DeviceFact, { type: "drift" }>;

/** Counts up when a monitor's state is written otherwise: one of another shape is of no use. */
const STATE_SHAPE = 2;

/** Feeds one monitor at a time, and reports. */
export class Monitoring implements Stateful {
  readonly #options: MonitoringOptions;
  readonly #quality: QualityMeter;
  readonly #reporter: Reporter;
  /** Of all that a saved state depends on. */
  readonly #spec: string;
  #monitor: Monitor;
  #isContinued = false;
  /** What was said of a drift last. */
  #told: DriftFact = {
    ...{ type: "drift", version: null, kind: null, isDrifting: false },
    ...{ sinceMs: null, columns: [] },
  };
  #cpu: { readonly ms: number; readonly atMs: number };

  constructor(options: MonitoringOptions) {
    const { deviceId, seed, clock, spec, columns, definition } = options;
    this.#options = options;
    this.#quality = new QualityMeter(options.counters);
    this.#monitor = new Monitor(options);
    this.#reporter = new Reporter({
      ...{ clock, reportMs: spec.reportMs, random: randomStream(seed, "report", deviceId) },
      send: () => options.send(this.report()),
    });
    const { window, concept, data, seasonMs } = spec;
    const { output, topologyHash } = definition;
    const asked = { window, concept, data, seasonMs, columns, output, topologyHash };
    this.#spec = sha256Hex(canonicalJson({ shape: STATE_SHAPE, ...asked }));
    this.#cpu = { ms: this.#usage().cpuMs, atMs: clock.elapsed() };
  }

  /** What answers rows has changed. */
  follow(): void {
    this.#monitor.follow(this.#options.releases.slot);
    this.#tellDrift();
    this.#reporter.soon();
  }

  /** A version has failed, or the server is there again. */
  reportSoon(): void {
    this.#reporter.soon();
  }

  /** Rows and what was said of them. */
  hear(rows: readonly FeatureRow[], serving: Verdicts, beside: Verdicts | undefined): void {
    this.#monitor.hear(rows, serving, beside);
  }

  /** Labels, after the answers to rows that came with them. */
  label(examples: readonly Example[]): void {
    for (const example of examples) this.#monitor.label(example);
  }

  /** A row has become features, whether or not anything answers it. */
  row(): void {
    this.#quality.row();
  }

  /** A reading was set aside. */
  refused(): void {
    this.#quality.refused();
  }

  /** A message has been dealt with: tells of a drift that has begun or ended. */
  settle(): void {
    if (this.#tellDrift()) this.#reporter.soon();
  }

  /**
   * Whether it goes on where an earlier process was: then rows that process has stored, and whose place in the state is not
   * reached yet, are to be heard again; otherwise they are the past.
   */
  get isContinued(): boolean {
    return this.#isContinued;
  }

  /** What there is to tell now, whole; for whoever shows it on the device. */
  snapshot(): MonitorSnapshot {
    return { ...this.#monitor.view(), quality: this.#quality.shares };
  }

  /** As it would be sent now. */
  report(): DeviceReport {
    const { releases, clock } = this.#options;
    const { sequence, followedMs, failed } = releases;
    return reportOf(this.#monitor.view(), {
      ...{ sequence, failed, ageMs: sequence === 0 ? 0 : clock.now() - followedMs },
      quality: this.#quality.shares,
      resources: { ...this.#resources(), ...this.#options.stock() },
    });
  }

  stop(): void {
    this.#reporter.stop();
  }

  save(): Saved {
    return { spec: this.#spec, monitor: this.#monitor.save() };
  }

  /** Takes up what was saved for this task's monitor; another's, or none, is of no use. */
  restore(saved: Saved): void {
    const monitor = new Monitor(this.#options);
    const { spec, monitor: state } = (saved ?? {}) as { readonly spec?: string; readonly monitor?: Saved }; // as `save` made it
    const isMine = spec === this.#spec;
    if (isMine) monitor.restore(state);
    const isSame = monitor.follow(this.#options.releases.slot);
    this.#isContinued = isMine && isSame;
    this.#monitor = monitor;
  }

  #tellDrift(): boolean {
    const { kind = null, sinceMs = null } = this.#monitor.drift;
    if (kind === this.#told.kind && sinceMs === this.#told.sinceMs) return false;
    const drifting = kind === "data" ? this.#monitor.view().columns.filter(({ drifts }) => drifts) : [];
    const columns = drifting.map(({ column }) => column);
    const version = this.#options.releases.slot.serving?.manifest.version ?? null;
    this.#told = { type: "drift", version, kind, isDrifting: kind !== null, sinceMs, columns };
    this.#options.observe(this.#told);
    return true;
  }

  #resources() {
    const { rssBytes, cpuMs } = this.#usage();
    const { ms, atMs } = this.#cpu;
    const nowMs = this.#options.clock.elapsed();
    this.#cpu = { ms: cpuMs, atMs: nowMs };
    return { rssBytes, cpu: nowMs > atMs ? Math.max(0, (cpuMs - ms) / (nowMs - atMs)) : 0 };
  }

  #usage(): ProcessUsage {
    return this.#options.usage?.() ?? unknownUsage;
  }
}
