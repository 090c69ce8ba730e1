// What the server tells whoever watches it (reports, status pages, checkers): things that have happened.

import type { DeviceId, UpdateId } from "../shared/id.js";
import type { MetricSums } from "../shared/model/metric.js";
import type { Manifest, RejectionReason, RoundKind } from "../shared/wire/message.js";
import type { DeviceReport } from "../shared/wire/report.js";
import type { TrialEvidence, TrialFailure } from "./round/event.js";
import type { ArmScore } from "./select/state.js";

/** Why a round came to nothing. */
export type AbandonedWhy =
  /** Without a quorum by then. */
  | "deadline"
  /** Too few are left that could deliver, and nobody could take their place. */
  | "nobody-can"
  /** The version to be scored was taken back, or another is to be scored first. */
  | "not-wanted"
  /** Its updates make no version. */
  | "unfoldable";

/** Why a device is in rounds again: its reports are calm, it is not there any more, or the fleet learns anew. */
export type LiftReason = "calm" | "absent" | "retraining";

/** Facts are emitted after they are durable, in order. Watching never changes what happens. */
export type ServerFact =
  | {
      readonly type: "round-opened";
      readonly round: number;
      readonly kind: RoundKind;
      readonly baseVersion: number;
      readonly cohort: readonly DeviceId[];
      readonly deadlineMs: number;
    }
  | {
      readonly type: "member-replaced";
      readonly round: number;
      readonly device: DeviceId;
      readonly by: DeviceId | undefined;
      readonly reason: string;
    }
  | {
      readonly type: "update-accepted";
      readonly round: number;
      readonly kind: RoundKind;
      readonly device: DeviceId;
      readonly updateId: UpdateId;
      readonly examples: number;
    }
  | {
      readonly type: "update-rejected";
      readonly round: number;
      readonly device: DeviceId;
      readonly updateId: UpdateId;
      readonly reason: RejectionReason;
    }
  | {
      readonly type: "update-duplicate";
      readonly round: number;
      readonly device: DeviceId;
      readonly updateId: UpdateId;
    }
  | {
      readonly type: "round-closed";
      readonly round: number;
      readonly kind: RoundKind;
      readonly outcome: "completed" | "abandoned";
      /** Of an abandoned one. */
      readonly why?: AbandonedWhy;
      /** Whose updates were folded (or merged), in fold order. */
      readonly folded: readonly { readonly device: DeviceId; readonly updateId: UpdateId }[];
    }
  | { readonly type: "version-published"; readonly line: "head" | "stable"; readonly manifest: Manifest }
  | {
      readonly type: "evaluated";
      readonly version: number;
      readonly pooled: MetricSums;
      readonly perDevice: readonly { readonly device: DeviceId; readonly sums: MetricSums }[];
    }
  | {
      readonly type: "gate";
      readonly version: number;
      readonly passed: boolean;
      readonly value: number | undefined;
      readonly reference: number | undefined;
    }
  | {
      readonly type: "trial-started";
      readonly version: number;
      readonly mode: "shadow" | "canary";
      readonly step: number;
      /** Of all devices that could be in it. */
      readonly share: number;
    }
  /** A device in trial says that the version does not work there, or could not be taken up. */
  | ({ readonly type: "trial-failed"; readonly version: number } & TrialFailure)
  | {
      readonly type: "trial-checked";
      readonly version: number;
      readonly mode: "shadow" | "canary";
      readonly step: number;
      readonly evidence: TrialEvidence;
      /** None when all is well so far. */
      readonly problems: readonly string[];
    }
  | {
      readonly type: "trial-ended";
      readonly version: number;
      readonly mode: "shadow" | "canary";
      readonly step: number;
      readonly outcome: "promoted" | "rolled-back";
      readonly reasons: readonly string[];
    }
  | {
      readonly type: "retraining";
      readonly reason: "drift" | "limits";
      readonly devices: number;
      readonly share: number;
      readonly sinceMs: number | null;
      readonly rounds: number;
    }
  /** Candidates have been compared: those that took part, and who is out from now on. */
  | {
      readonly type: "selection-rung";
      /** From 0. */
      readonly rung: number;
      /** Undefined when there was nothing to judge by. */
      readonly best: string | undefined;
      readonly arms: readonly {
        readonly arm: string;
        readonly version: number;
        readonly out: string | null;
        readonly score: ArmScore | null;
      }[];
    }
  /** One candidate is left: its version goes on, after so many rounds. */
  | {
      readonly type: "selected";
      readonly arm: string;
      readonly version: number;
      readonly rounds: number;
      readonly over: readonly string[];
    }
  /** A device has said how its model and its data are. */
  | { readonly type: "reported"; readonly device: DeviceId; readonly report: DeviceReport }
  | { readonly type: "quarantined"; readonly device: DeviceId; readonly reason: string }
  | { readonly type: "quarantine-lifted"; readonly device: DeviceId; readonly reason: LiftReason }
  | {
      readonly type: "finished";
      readonly reason: "max-rounds" | "target" | "patience";
      readonly version: number;
    };
