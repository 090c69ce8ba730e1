// What a device tells whoever watches it (reports, checkers, status pages): things that have happened.

import type { UpdateId } from "../shared/id.js";
import type { RejectionReason, RoundKind } from "../shared/wire/message.js";
import type { FailureReason } from "./release/failures.js";

/** One prediction: made by exactly one verified model version, from one row of features. */
export interface Prediction {
  /** Names the row that is predicted, for whoever knows better: see `predictionId`. */
  readonly id: string;
  readonly entity: string;
  /** Event time of the row. */
  readonly timeMs: number;
  readonly version: number;
  /** In the label's own unit; for classification the most likely class, for binary 0 or 1. */
  readonly value: number;
  /** For classification the probability of that class, for binary that of 1 whatever the value; else null. */
  readonly probability: number | null;
  /** Of an autoencoder with a threshold: whether the error is beyond it; null while that is not known, or for any other. */
  readonly anomaly: 0 | 1 | null;
}

/** Why work on a round ended without an update or a decline. */
export type AbandonReason = "deadline" | "superseded" | "task-changed" | "base-refused";

/** Facts are emitted after what they tell is done, in order. Watching never changes what happens. */
export type DeviceFact =
  | { readonly type: "task-adopted"; readonly taskHash: string; readonly pipelineHash: string }
  | { readonly type: "serving"; readonly version: number }
  /** A version was not taken up; `detail`: what the engine or the disk said. */
  | {
      readonly type: "model-rejected";
      readonly version: number;
      readonly reason: string;
      readonly detail?: string;
    }
  /** A version that had been taken up does not work: the last good one takes its place. */
  | {
      readonly type: "version-failed";
      readonly version: number;
      readonly reason: FailureReason;
      readonly detail?: string;
    }
  /** What a release comes to on this device: versions, null = none. Told again when it changes. */
  | {
      readonly type: "release-followed";
      readonly sequence: number;
      readonly serving: number | null;
      readonly beside: number | null;
    }
  /** Something has begun to drift on this device, drifts since another time, or drifts no more (`kind` null). */
  | {
      readonly type: "drift";
      /** What is served. */
      readonly version: number | null;
      readonly kind: "concept" | "data" | null;
      readonly isDrifting: boolean;
      /** Event time, null where it is not known. */
      readonly sinceMs: number | null;
      /** Of data: the columns that drift. */
      readonly columns: readonly string[];
    }
  | ({ readonly type: "prediction" } & Prediction)
  | { readonly type: "training"; readonly round: number; readonly kind: RoundKind }
  | { readonly type: "declined"; readonly round: number; readonly reason: string }
  | { readonly type: "abandoned"; readonly round: number; readonly reason: AbandonReason }
  | { readonly type: "update-stored"; readonly updateId: UpdateId; readonly round: number }
  | { readonly type: "update-dropped"; readonly updateId: UpdateId; readonly round: number }
  | {
      readonly type: "receipt";
      readonly updateId: UpdateId;
      readonly round: number;
      readonly status: "accepted" | "rejected";
      readonly reason: RejectionReason | null;
    };

/** Takes facts. Never throws. */
export type Observe = (fact: DeviceFact) => void;
