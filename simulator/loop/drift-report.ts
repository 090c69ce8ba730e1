// What became of a drift: was it seen, how soon, how often was wolf cried, what was done, and did it help.

import type { DeviceId } from "../../shared/id.js";
import type { DriftKind } from "../sensors/drift.js";
import type { CoursePoint } from "./course.js";

/** A device began to say that something drifts. */
export interface Alarm {
  readonly device: DeviceId;
  /** Event time, as all times here. */
  readonly atMs: number;
  /** What it served. */
  readonly version: number;
  /** Whether nothing had changed that it could have seen. */
  readonly isFalse: boolean;
}

/** The fleet began to learn anew. */
export interface Retraining {
  readonly atMs: number;
  readonly reason: "drift" | "limits";
  /** Devices that said so, and their share of those that reported. */
  readonly devices: number;
  readonly share: number;
}

/** A version that some devices tried. */
export interface VersionTrial {
  readonly version: number;
  readonly startedMs: number;
  /** Undefined while it goes on. */
  readonly endedMs?: number;
  readonly outcome?: "promoted" | "rolled-back";
  readonly reasons: readonly string[];
  /** Devices that have predicted with it before it was promoted. */
  readonly servedBy: readonly DeviceId[];
}

/** The loop from drift to recovery. Times are Unix milliseconds of event time. */
export interface DriftReport {
  /** When the world changed, and how; null: it did not, as far as is known. */
  readonly atMs: number | null;
  readonly kind: DriftKind | null;
  /** Devices whose world changed. */
  readonly devices: number;
  /** Whether the fleet did something about it: learnt anew, or left a device out. */
  readonly detected: boolean;
  /** From the change until then, in milliseconds of event time; null when not detected. */
  readonly detectionDelay: number | null;
  /** From the change until the first device said so, likewise. */
  readonly firstAlarmDelay: number | null;
  /** Alarms of devices that had nothing to be alarmed about. */
  readonly falseAlarms: number;
  /** Rows that devices predicted while there was nothing. */
  readonly calmRows: number;
  /** Versions that all devices were given after the fleet learnt anew, the last one; null: none. */
  readonly promoted: number | null;
  readonly promotedMs: number | null;
  /** Whether `after` is worse than `before` by 2 % at most. */
  readonly recovered: boolean;
  /**
   * The metric over all devices' predictions: in the two days before the change (all of them, without one), from then to the
   * first promotion after the fleet had learnt anew, and since the last one.
   */
  readonly before: number | null;
  readonly during: number | null;
  readonly after: number | null;
  readonly alarms: readonly Alarm[];
  readonly retrainings: readonly Retraining[];
  readonly trials: readonly VersionTrial[];
  /** Devices that were left out of rounds, and when. */
  readonly quarantined: readonly { readonly device: DeviceId; readonly atMs: number }[];
  readonly course: readonly CoursePoint[];
}
