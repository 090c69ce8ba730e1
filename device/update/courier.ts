// Brings updates from the outbox to the server: stores, announces, sends, commits, asks again until the receipt.
// What comes next is decided elsewhere; what happened is reported there.

import type { KeyObject } from "node:crypto";
import type { Cancel, Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { DeviceId, TaskId, UpdateId } from "../../shared/id.js";
import type { Random } from "../../shared/random.js";
import { Retry } from "../../shared/retry.js";
import type { ByteRange } from "../../shared/wire/chunk.js";
import { signUpdate } from "../../shared/wire/signature.js";
import type { Outgoing } from "../outgoing.js";
import type { BuiltUpdate } from "./builder.js";
import type { Outbox } from "./outbox.js";
import { sendChunks } from "./uploader.js";

const RETRY = { firstMs: 10_000, maxMs: 300_000, jitter: 0.2 } as const;

/** What a courier reports. */
export type CourierEvent =
  | { readonly type: "upload-due" }
  | { readonly type: "chunks-sent"; readonly updateId: UpdateId }
  | { readonly type: "update-stored"; readonly updateId: UpdateId; readonly round: number }
  | { readonly type: "work-failed"; readonly round: number; readonly reason: string };

/** What a courier stands on. */
export interface CourierOptions {
  readonly task: TaskId;
  readonly device: DeviceId;
  readonly privateKey: KeyObject;
  readonly outbox: Outbox;
  readonly outgoing: Outgoing;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
}

/** Carries one update at a time. */
export class UpdateCourier {
  readonly #options: CourierOptions;
  readonly #report: (event: CourierEvent) => void;
  readonly #retry: Retry;
  #cancelRetry: Cancel = () => undefined;
  #sending = new AbortController();

  constructor(options: CourierOptions, report: (event: CourierEvent) => void) {
    this.#options = options;
    this.#report = report;
    this.#retry = new Retry(RETRY, options.random);
  }

  /** Stores an update durably, and reports that, or why it could not be done. */
  store(update: BuiltUpdate): void {
    const { updateId, round } = update;
    try {
      this.#options.outbox.add(update);
      this.#report({ type: "update-stored", updateId, round });
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#report({ type: "work-failed", round, reason: error.code });
    }
  }

  /** Deletes an update. Should the disk refuse, the server's next word on it will bring us here again. */
  forget(updateId: UpdateId): void {
    try {
      this.#options.outbox.delete(updateId);
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#options.counters.add(`updates.not-deleted.${error.code}`);
    }
  }

  /** Announces an update, or asks how much of it has arrived. */
  begin(updateId: UpdateId): void {
    const update = this.#options.outbox.describe(updateId);
    if (update === undefined) return;
    void this.#options.outgoing.send("begin", { v: 1, ...update });
    this.#askAgainLater();
  }

  /** Sends what the server lacks, and reports when it has left. */
  sendChunks(updateId: UpdateId, ranges: readonly ByteRange[]): void {
    const update = this.#options.outbox.read(updateId);
    if (update === undefined) return;
    this.#cancelRetry();
    const { signal } = this.#sending;
    void sendChunks(update, ranges, this.#options.outgoing, signal).then(() => {
      if (!signal.aborted) this.#report({ type: "chunks-sent", updateId });
    });
  }

  /** Signs and commits. */
  commit(updateId: UpdateId): void {
    const update = this.#options.outbox.describe(updateId);
    if (update === undefined) return;
    const { task, device, privateKey, outgoing } = this.#options;
    const { round, sha256 } = update;
    const signature = signUpdate(privateKey, { task, device, round, updateId, sha256 });
    void outgoing.send("commit", { v: 1, updateId, round, sha256, signature });
    this.#askAgainLater();
  }

  /** Puts down what is being carried; the next `begin` starts with the shortest wait again. */
  stop(): void {
    this.#cancelRetry();
    this.#retry.reset();
    // With a reason of its own: without one, an exception is made with its stack.
    this.#sending.abort("put down");
    this.#sending = new AbortController();
  }

  #askAgainLater(): void {
    this.#cancelRetry();
    this.#cancelRetry = this.#options.clock.after(this.#retry.next(), () =>
      this.#report({ type: "upload-due" }),
    );
  }
}
