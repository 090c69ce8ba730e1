// Follows the loop from drift to recovery by what server and devices tell, and judges it by what only a simulation
// knows: when the world changed, and what is true of every row. It changes nothing.

import type { DeviceFact } from "../../device/fact.js";
import type { ServerFact } from "../../server/fact.js";
import type { DeviceId } from "../../shared/id.js";
import { primaryMetric, regression } from "../../shared/model/metric.js";
import type { MetricName, Task } from "../../shared/task/task.js";
import type { DeviceReport } from "../../shared/wire/report.js";
import type { Feed, FeedDrift } from "../datasets/load.js";
import { Course } from "./course.js";
import type { Alarm, DriftReport, Retraining, VersionTrial } from "./drift-report.js";
import { findTruth, type Truth } from "./truth.js";

/** How long before the change counts as before. */
const BEFORE_MS = 2 * 86_400_000;
/** Points of the curve. */
const STEP_MS = 3 * 3_600_000;
/** Worse than before by this share is recovered. */
const RECOVERED_WITHIN = 0.02;

type Fact<Type extends ServerFact["type"]> = Extract<ServerFact, { type: Type }>;
type Report = Pick<DeviceReport, "drift" | "serving">;

/** A version that all devices were given. */
interface Promotion {
  readonly version: number;
  readonly atMs: number;
}

/** What a watch is made of. */
export interface LoopWatchOptions {
  readonly metric: MetricName;
  readonly output: Task["model"]["output"];
  readonly truth: Truth;
  readonly drift: FeedDrift | undefined;
  /** The event time that is now. */
  readonly eventNow: () => number;
}

/** Watches a federation whose telemetry streams in; undefined where nothing is monitored or all data is history. */
export function watchLoop(task: Task, feed: Feed, eventNow: () => number): LoopWatch | undefined {
  if (task.monitor === undefined || feed.pace === undefined) return undefined;
  const { output } = task.model;
  const truth = findTruth(task, feed.devices);
  return new LoopWatch({ metric: primaryMetric(output), output, truth, drift: feed.drift, eventNow });
}

/** One federation's. */
export class LoopWatch {
  readonly #options: LoopWatchOptions;
  readonly #course: Course;
  readonly #alarms: Alarm[] = [];
  readonly #said = new Map<DeviceId, Report>();
  readonly #retrainings: Retraining[] = [];
  readonly #trials = new Map<number, VersionTrial>();
  readonly #quarantined: { readonly device: DeviceId; readonly atMs: number }[] = [];
  readonly #promotions: Promotion[] = [];
  readonly #servedBy = new Map<number, Set<DeviceId>>();
  #calmRows = 0;
  #isTrialOpen = false;

  constructor(options: LoopWatchOptions) {
    this.#options = options;
    this.#course = new Course(options.metric, options.output);
  }

  /** A version is being tried out. */
  get isTrialOpen(): boolean {
    return this.#isTrialOpen;
  }

  /** The fleet has begun to learn anew. */
  get hasLearntAnew(): boolean {
    return this.#retrainings.length > 0;
  }

  onServerFact(fact: ServerFact): void {
    const atMs = this.#options.eventNow();
    switch (fact.type) {
      case "reported":
        this.#reported(fact.device, fact.report, atMs);
        return;
      case "retraining":
        this.#retrainings.push({ atMs, reason: fact.reason, devices: fact.devices, share: fact.share });
        return;
      case "trial-started":
        this.#isTrialOpen = true;
        if (!this.#trials.has(fact.version)) this.#start(fact.version, atMs);
        return;
      case "trial-ended":
        this.#isTrialOpen = false;
        this.#end(fact, atMs);
        return;
      case "quarantined":
        this.#quarantined.push({ device: fact.device, atMs });
        return;
      case "version-published":
        if (fact.line === "stable") this.#promotions.push({ version: fact.manifest.version, atMs });
        return;
      default:
        return;
    }
  }

  onDeviceFact(device: DeviceId, fact: DeviceFact): void {
    if (fact.type !== "prediction") return;
    const { timeMs, value, version } = fact;
    const isPromoted = this.#promotions.some((promoted) => promoted.version === version);
    if (!isPromoted) this.#serversOf(version).add(device);
    if (this.#isCalm(device, timeMs)) this.#calmRows++;
    const label = this.#options.truth(device, fact);
    if (label !== undefined) this.#course.add(timeMs, value, label);
  }

  /** What it came to. */
  report(): DriftReport {
    const { drift } = this.#options;
    const atMs = drift?.atMs ?? null;
    const cures = this.#cures();
    const cure = cures.at(-1);
    const scores = this.#scores(cures);
    const { before, after } = scores;
    const decisionMs = this.#firstSince([...this.#retrainings, ...this.#quarantined]);
    const alarmMs = this.#firstSince(this.#alarms.filter(({ isFalse }) => !isFalse));
    return {
      ...{ atMs, kind: drift?.kind ?? null, devices: drift?.devices.size ?? 0 },
      detected: decisionMs !== undefined,
      detectionDelay: delay(atMs, decisionMs),
      firstAlarmDelay: delay(atMs, alarmMs),
      falseAlarms: this.#alarms.filter(({ isFalse }) => isFalse).length,
      calmRows: this.#calmRows,
      promoted: cure?.version ?? null,
      promotedMs: cure?.atMs ?? null,
      recovered: before !== null && after !== null && this.#isRecovered(before, after),
      ...scores,
      alarms: this.#alarms,
      retrainings: this.#retrainings,
      trials: [...this.#trials.values()].map((trial) => ({
        ...trial,
        servedBy: [...this.#serversOf(trial.version)].sort(),
      })),
      quarantined: this.#quarantined,
      course: this.#course.curve(STEP_MS),
    };
  }

  #reported(device: DeviceId, report: Report, atMs: number): void {
    const before = this.#said.get(device);
    this.#said.set(device, report);
    const version = report.serving?.version;
    if (!report.drift.isDrifting || version === undefined) return;
    // It goes on saying so until it serves another version.
    if (before?.drift.isDrifting && before.serving?.version === version) return;
    this.#alarms.push({ device, atMs, version, isFalse: !this.#isFooled(device, version, atMs) });
  }

  #start(version: number, startedMs: number): void {
    this.#trials.set(version, { version, startedMs, reasons: [], servedBy: [] });
  }

  #end({ version, outcome, reasons }: Fact<"trial-ended">, endedMs: number): void {
    const trial = this.#trials.get(version);
    if (trial !== undefined) this.#trials.set(version, { ...trial, endedMs, outcome, reasons });
  }

  /** The world of this device has changed, and the version has not been let through since the fleet learnt anew. */
  #isFooled(device: DeviceId, version: number, atMs: number): boolean {
    return this.#hasChanged(device, atMs) && !this.#cures().some((cure) => cure.version === version);
  }

  #hasChanged(device: DeviceId, timeMs: number): boolean {
    const { drift } = this.#options;
    return drift !== undefined && timeMs >= drift.atMs && drift.devices.has(device);
  }

  /** Nothing has changed for this device, or what has is cured. */
  #isCalm(device: DeviceId, timeMs: number): boolean {
    return !this.#hasChanged(device, timeMs) || this.#cures().some(({ atMs }) => timeMs >= atMs);
  }

  /** Versions that were promoted after the fleet had begun to learn anew. */
  #cures(): readonly Promotion[] {
    const fromMs = this.#firstSince(this.#retrainings);
    return fromMs === undefined ? [] : this.#promotions.filter(({ atMs }) => atMs >= fromMs);
  }

  #firstSince(happened: readonly { readonly atMs: number }[]): number | undefined {
    const fromMs = this.#options.drift?.atMs ?? Number.POSITIVE_INFINITY;
    const times = happened.map(({ atMs }) => atMs).filter((atMs) => atMs >= fromMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #scores(cures: readonly Promotion[]): Pick<DriftReport, "before" | "during" | "after"> {
    const { drift } = this.#options;
    const endMs = Number.POSITIVE_INFINITY;
    const over = (fromMs: number, untilMs: number) => this.#course.over({ fromMs, untilMs });
    if (drift === undefined) return { before: over(-endMs, endMs), during: null, after: null };
    return {
      before: over(drift.atMs - BEFORE_MS, drift.atMs),
      during: over(drift.atMs, cures[0]?.atMs ?? endMs),
      after: over(cures.at(-1)?.atMs ?? endMs, endMs),
    };
  }

  #isRecovered(before: number, after: number): boolean {
    return regression(this.#options.metric, after, before) <= RECOVERED_WITHIN;
  }

  #serversOf(version: number): Set<DeviceId> {
    const devices = this.#servedBy.get(version) ?? new Set();
    this.#servedBy.set(version, devices);
    return devices;
  }
}

function delay(fromMs: number | null, untilMs: number | undefined): number | null {
  return fromMs === null || untilMs === undefined ? null : untilMs - fromMs;
}
