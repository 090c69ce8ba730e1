// What can happen to a federation. Events carry time, so that deciding on them is pure and can be replayed.

import type { DeviceId, UpdateId } from "../../shared/id.js";
import type { MetricSums } from "../../shared/model/metric.js";
import type { Labels, RejectionReason, RoundKind } from "../../shared/wire/message.js";

/** Something that happened, before it has a time. */
export type Occurrence =
  /** The server has started; it was away for `downtimeMs`. */
  | { readonly type: "recovered"; readonly downtimeMs: number }
  /** Time has passed. */
  | { readonly type: "tick" }
  | {
      readonly type: "hello";
      readonly device: DeviceId;
      readonly canTrain: boolean;
      readonly canEvaluate: boolean;
      readonly labels: Labels;
    }
  | {
      readonly type: "declined";
      readonly device: DeviceId;
      readonly round: number;
      readonly reason: string;
    }
  /** A member's upload is moving. */
  | { readonly type: "progressed"; readonly device: DeviceId; readonly round: number }
  /** An update was announced or committed, and its content judged. */
  | ({ readonly type: "update"; readonly verdict: Verdict } & Announcement)
  /** The version that the last fold, fit, initialise or revert asked for is there. `round` 0: outside a round. */
  | { readonly type: "version-made"; readonly round: number; readonly version: number }
  /** A version was taken in from elsewhere, while the server was away; training goes on from it where `isHead`. */
  | { readonly type: "version-imported"; readonly version: number; readonly isHead: boolean }
  /** A round's updates cannot become a version. */
  | { readonly type: "unfoldable"; readonly round: number }
  /** What the devices in trial report, pooled. */
  | {
      readonly type: "trial-evidence";
      readonly version: number;
      readonly step: number;
      readonly evidence: TrialEvidence;
    }
  /** A version that devices are to hear of is not there. */
  | { readonly type: "version-missing"; readonly version: number }
  /** Enough devices report that the model no longer fits; `sinceMs`: the event time since when, null = not known. */
  | {
      readonly type: "retrain";
      readonly reason: "drift" | "limits";
      /** Devices that say so, and their share of those that report. */
      readonly devices: number;
      readonly share: number;
      readonly sinceMs: number | null;
    }
  | { readonly type: "quarantine"; readonly device: DeviceId; readonly reason: string }
  | { readonly type: "quarantine-lifted"; readonly device: DeviceId }
  /** An operator has a kept version served by all. */
  | { readonly type: "promote"; readonly version: number; readonly value: number | null }
  /** An operator takes back what is in trial, or stable: to this version, or the one before (null). */
  | {
      readonly type: "roll-back";
      readonly to: { readonly version: number; readonly value: number | null } | null;
    };

/** Reports on a version in trial, pooled over the devices in it. */
export interface TrialEvidence {
  /** In the trial; of these: with a recent report on the version, without one, and where it did not work. */
  readonly devices: number;
  readonly reporting: number;
  readonly silent: number;
  readonly failed: number;
  /** Predictions by the version, and how many were no finite numbers. */
  readonly rows: number;
  readonly invalid: number;
  /** Its mean time per prediction, in those of stable; null where there is nothing to compare. */
  readonly latencyRatio: number | null;
  /** Labelled rows that both it and stable have answered, and the gate's metric of each over them. */
  readonly labelled: number;
  readonly value: number | null;
  readonly reference: number | null;
}

/** Something that happened at `nowMs`. */
export type RoundEvent = Occurrence & { readonly nowMs: number };

/** What an update says it is. Kind and base are unknown for a commit that nothing was announced for. */
export interface Announcement {
  readonly device: DeviceId;
  readonly round: number;
  readonly updateId: UpdateId;
  readonly kind: RoundKind | undefined;
  readonly baseVersion: number | undefined;
}

/** What one device's held-out rows say of versions beside the round's own, in its order; times: the own one's first. */
export interface BesideScores {
  readonly sums: readonly MetricSums[];
  readonly elapsedMs: readonly number[];
}

/** What its bytes turned out to be, whatever the round has come to meanwhile. */
export type Verdict =
  | {
      readonly ok: true;
      readonly examples: number;
      /** Of the delta; null where there is none. */
      readonly norm: number | null;
      /** Of an evaluate round. */
      readonly sums: MetricSums | null;
      /** Of the versions scored beside its own. */
      readonly beside?: BesideScores;
    }
  | { readonly ok: false; readonly reason: RejectionReason };
