// What a device knows about its part in the rounds, what can happen to it, and what it can do: plain data.

import type { UpdateId } from "../../shared/id.js";
import type { ByteRange } from "../../shared/wire/chunk.js";
import type { Offer, RejectionReason } from "../../shared/wire/message.js";
import type { AbandonReason } from "../fact.js";
import type { BaseModel } from "../model/check.js";
import type { BuiltUpdate } from "../update/builder.js";
import type { CourierEvent } from "../update/courier.js";
import type { BenchEvent } from "./bench.js";

/** Updates kept until their receipts come. */
export const OUTBOX_MAX = 8;

/** An update in the outbox. */
export interface PendingUpdate {
  readonly updateId: UpdateId;
  readonly round: number;
}

/** The one round a device works on. */
export interface Work {
  readonly offer: Offer;
  readonly phase: "fetching" | "working" | "storing";
}

/** The one update a device is sending. */
export interface Upload {
  readonly updateId: UpdateId;
  /** Waiting for an answer to `begin`; sending chunks; waiting for an answer to `commit`. */
  readonly phase: "announced" | "sending" | "committed";
  /** How often chunks have been sent. */
  readonly passes: number;
}

/** A device's part in the rounds. */
export interface Participation {
  readonly isConnected: boolean;
  /** A task is known; before, the device has nothing to say. */
  readonly isReady: boolean;
  readonly work: Work | undefined;
  /** Oldest first, at most OUTBOX_MAX. */
  readonly outbox: readonly PendingUpdate[];
  readonly upload: Upload | undefined;
  /** The rounds answered by an update since the device connected, newest last: an offer of theirs is an echo. */
  readonly answered: readonly number[];
  /** The last decline: an offer of that round means that it was lost. */
  readonly declined: { readonly round: number; readonly reason: string } | undefined;
}

/** A device that has just been switched on. */
export const initialParticipation: Participation = {
  isConnected: false,
  isReady: false,
  work: undefined,
  outbox: [],
  upload: undefined,
  answered: [],
  declined: undefined,
};

/** The server's word on an update. */
export interface Word {
  readonly status: "accepted" | "rejected";
  readonly reason: RejectionReason | null;
}

/** What can happen. Messages of the server have been verified; updates and bases are passed through untouched. */
export type ParticipationEvent =
  /** After a start: what the outbox holds, oldest first. */
  | { readonly type: "recovered"; readonly outbox: readonly PendingUpdate[] }
  /** A task has been adopted, the first one or another. */
  | { readonly type: "task-adopted" }
  | { readonly type: "connected" }
  | { readonly type: "disconnected" }
  /** `refusal`: why this device will not work on it, asked when the offer came. */
  | { readonly type: "offer"; readonly offer: Offer; readonly refusal: string | undefined }
  | { readonly type: "wait"; readonly retryMs: number }
  /** The device may train now and could not when it last said hello. */
  | { readonly type: "eligible" }
  | { readonly type: "hello-due" }
  | BenchEvent
  | CourierEvent
  | { readonly type: "missing"; readonly updateId: UpdateId; readonly ranges: readonly ByteRange[] }
  | ({ readonly type: "receipt"; readonly updateId: UpdateId } & Word);

/** What a device can do. Each is safe to do again. */
export type ParticipationCommand =
  | { readonly type: "say-hello" }
  /** Say hello after this long, or after the next delay of the back-off. */
  | { readonly type: "hello-later"; readonly afterMs: number | "back-off" }
  | { readonly type: "stop-asking" }
  | { readonly type: "decline"; readonly round: number; readonly reason: string }
  /** Sets the deadline, and fetches the base if the round has one. */
  | { readonly type: "prepare"; readonly offer: Offer }
  | { readonly type: "work"; readonly offer: Offer; readonly base: BaseModel | undefined }
  | { readonly type: "abandon"; readonly round: number; readonly reason: AbandonReason }
  | { readonly type: "store"; readonly update: BuiltUpdate }
  /** The server has given its word on an update: it has served its purpose. */
  | ({ readonly type: "settle"; readonly update: PendingUpdate } & Word)
  /** Too many are waiting: the oldest goes. */
  | { readonly type: "evict"; readonly update: PendingUpdate }
  | { readonly type: "begin"; readonly updateId: UpdateId }
  | { readonly type: "send-chunks"; readonly updateId: UpdateId; readonly ranges: readonly ByteRange[] }
  | { readonly type: "commit"; readonly updateId: UpdateId }
  | { readonly type: "stop-upload" };

/** A decision. */
export interface Step {
  readonly state: Participation;
  readonly commands: readonly ParticipationCommand[];
}
