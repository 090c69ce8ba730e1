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
  /** A device in trial says that the version does not work there: nobody waits for the next check. */
  | ({ readonly type: "trial-failed"; readonly version: number } & TrialFailure)
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

/** Devices named as those where a version in trial does not work: the rest are counted. */
export const TRIAL_FAILURES_MAX = 16;

/** A device where a version in trial does not work, or could not be taken up; both texts are the device's. */
export interface TrialFailure {
  readonly device: DeviceId;
  readonly reason: string;
  readonly detail: string;
}

/** Reports on a version in trial. Sums are for people: what is decided goes by devices. */
export interface TrialEvidence {
  /** In the trial; of these: with a recent report on the version, without one, and where it did not work. */
  readonly devices: number;
  readonly reporting: number;
  readonly silent: number;
  readonly failed: number;
  /** Some of those where it did not work; not in journals of before, as the two below. */
  readonly failures?: readonly TrialFailure[];
  /** Devices by what their own rows say: no numbers, too slow, worse than stable; `good`: none of these. */
  readonly votes?: {
    readonly invalid: number;
    readonly slow: number;
    /** With enough labelled rows of their own, and of these: where it is worse. */
    readonly judged: number;
    readonly worse: number;
    readonly good: number;
  };
  /** How much worse than stable, by the gate's metric: median over devices, null where that is not known. */
  readonly regression?: number | null;
  /** Predictions by the version, and how many were no finite numbers. */
  readonly rows: number;
  readonly invalid: number;
  /** Its mean time per prediction, in those of stable: median over devices, null where there is nothing to compare. */
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
