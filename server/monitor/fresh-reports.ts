// Reports that still say something: a device that has fallen silent is neither well nor ill. What they come to is kept up
// report by report, so that a look at the fleet costs the same whatever its size.

import type { DeviceId } from "../../shared/id.js";
import { isBetter, metricValue } from "../../shared/model/metric.js";
import type { MonitorSpec } from "../../shared/task/task.js";
import type { DeviceReport } from "../../shared/wire/report.js";
import type { ReceivedReport } from "./report-store.js";

/** A report counts for this many times the interval of reports. */
const FRESH_REPORTS = 3;
/** A metric over fewer labelled rows is beyond no limit. */
const LIMIT_ROWS_MIN = 20;

type Reason = "drift" | "limits";

/** What devices may say: why to learn anew, and of which version. */
interface Saying {
  readonly reason: Reason;
  readonly version: number;
}

/** How long a report counts. */
export function freshForMs({ reportMs }: Pick<MonitorSpec, "reportMs">): number {
  return FRESH_REPORTS * reportMs;
}

interface Counted {
  readonly received: ReceivedReport;
  readonly says: { readonly [Key in Reason]: boolean };
}

/** Devices that serve a version and say so. */
type Tally = Record<Reason, number>;

/** Reports not out of date at the time that is asked about. One that was once out of date does not come back. */
export class FreshReports {
  readonly #monitor: MonitorSpec;
  /** The longest silent device is the first. */
  readonly #counted = new Map<DeviceId, Counted>();
  readonly #tallies = new Map<number | undefined, Tally>();
  #drifting = 0;

  constructor(monitor: MonitorSpec) {
    this.#monitor = monitor;
  }

  /** Counts a device's report in place of the one before. */
  put(device: DeviceId, received: ReceivedReport): void {
    this.remove(device);
    const { report } = received;
    const says = { drift: report.drift.isDrifting, limits: isBeyondLimits(report, this.#monitor) };
    this.#counted.set(device, { received, says });
    this.#count({ received, says }, 1);
  }

  remove(device: DeviceId): void {
    const counted = this.#counted.get(device);
    if (counted === undefined) return;
    this.#counted.delete(device);
    this.#count(counted, -1);
  }

  /** Devices that report. */
  size(nowMs: number): number {
    this.#forgetSilent(nowMs);
    return this.#counted.size;
  }

  /** Those of them that drift. */
  drifting(nowMs: number): number {
    this.#forgetSilent(nowMs);
    return this.#drifting;
  }

  /** Those that serve the version and give that reason to learn anew. */
  saying(nowMs: number, { reason, version }: Saying): number {
    this.#forgetSilent(nowMs);
    return this.#tallies.get(version)?.[reason] ?? 0;
  }

  /** The reports that `saying` counts. */
  whoSay(nowMs: number, { reason, version }: Saying): readonly DeviceReport[] {
    this.#forgetSilent(nowMs);
    return [...this.#counted.values()]
      .filter(({ received, says }) => says[reason] && received.report.serving?.version === version)
      .map(({ received }) => received.report);
  }

  #forgetSilent(nowMs: number): void {
    const sinceMs = nowMs - freshForMs(this.#monitor);
    for (const [device, { received }] of this.#counted) {
      if (received.receivedMs >= sinceMs) return;
      this.remove(device);
    }
  }

  #count({ received: { report }, says }: Counted, by: 1 | -1): void {
    const version = report.serving?.version;
    const tally = this.#tallies.get(version) ?? { drift: 0, limits: 0 };
    tally.drift += says.drift ? by : 0;
    tally.limits += says.limits ? by : 0;
    if (tally.drift + tally.limits > 0) this.#tallies.set(version, tally);
    else this.#tallies.delete(version);
    this.#drifting += says.drift ? by : 0;
  }
}

function isBeyondLimits({ window }: DeviceReport, { limits }: MonitorSpec): boolean {
  if (window.rows < LIMIT_ROWS_MIN) return false;
  return limits.some(({ metric, worst }) => {
    const value = metricValue(window, metric);
    return value !== undefined && isBetter(metric, worst, value);
  });
}
