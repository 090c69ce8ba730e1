// What can happen to a federation. Events carry time, so that deciding on them is pure and can be replayed.

import type { DeviceId, UpdateId } from "../../shared/id.js";
import type { MetricSums } from "../../shared/model/metric.js";
import type { RejectionReason, RoundKind } from "../../shared/wire/message.js";

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
  /** A round's updates cannot become a version. */
  | { readonly type: "unfoldable"; readonly round: number };

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

/** What its bytes turned out to be, whatever the round has come to meanwhile. */
export type Verdict =
  | {
      readonly ok: true;
      readonly examples: number;
      /** Of the delta; null where there is none. */
      readonly norm: number | null;
      /** Of an evaluate round. */
      readonly sums: MetricSums | null;
    }
  | { readonly ok: false; readonly reason: RejectionReason };
