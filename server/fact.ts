// What the server tells whoever watches it (reports, status pages, checkers): things that have happened.

import type { DeviceId, UpdateId } from "../shared/id.js";
import type { MetricSums } from "../shared/model/metric.js";
import type { Manifest, RejectionReason, RoundKind } from "../shared/wire/message.js";

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
      readonly type: "finished";
      readonly reason: "max-rounds" | "target" | "patience";
      readonly version: number;
    };
