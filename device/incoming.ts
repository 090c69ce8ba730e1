// What the server says to a device: decoded, verified with the pinned key, and only then heard. Anything else is
// counted by its reason, logged once per reason, and ignored.

import type { KeyObject } from "node:crypto";
import type { z } from "zod";
import { unreachable } from "../shared/assert.js";
import type { Counters } from "../shared/counters.js";
import type { DeviceId, TaskId } from "../shared/id.js";
import type { Logger } from "../shared/log.js";
import type { Message } from "../shared/transport/port.js";
import {
  type DownMessage,
  decodeMessage,
  downSchemas,
  type Manifest,
  type Offer,
  type Receipt,
  type Release,
  releaseSchema,
  type SignedTask,
  signedTaskSchema,
} from "../shared/wire/message.js";
import { verifyAnswer, verifyManifest, verifyReceipt, verifyRelease } from "../shared/wire/signature.js";
import { type DownKind, parseTopic } from "../shared/wire/topic.js";

/** Who listens, and what for. `task` still has its own signature to be verified, by who parses it. */
export interface Listeners {
  readonly task: (message: SignedTask) => void;
  readonly release: (release: Release) => void;
  readonly offer: (offer: Offer) => void;
  readonly wait: (message: DownMessage<"wait">) => void;
  readonly missing: (message: DownMessage<"missing">) => void;
  readonly receipt: (receipt: Receipt) => void;
  readonly block: (message: DownMessage<"block">) => void;
  readonly refusal: (message: DownMessage<"refusal">) => void;
  readonly model: (answer: DownMessage<"model">) => void;
}

/** Whom to believe, and where to complain. */
export interface IncomingOptions {
  readonly task: TaskId;
  readonly device: DeviceId;
  readonly serverKey: KeyObject;
  readonly counters: Counters;
  readonly logger: Logger;
  readonly listeners: Listeners;
}

/** Hears messages. */
export class Incoming {
  readonly #options: IncomingOptions;
  readonly #logged = new Set<string>();

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  /** Takes whatever the broker delivers. Never throws because of it. */
  hear({ topic, payload }: Message): void {
    const { task, device, listeners } = this.#options;
    const parsed = parseTopic(topic);
    if (parsed?.task !== task) {
      this.refuse("foreign-topic");
      return;
    }
    if (parsed.direction === "task") {
      this.#decode(signedTaskSchema, payload, listeners.task);
      return;
    }
    if (parsed.direction === "release") {
      this.#decode(releaseSchema, payload, (release) => {
        if (this.isSignedRelease(release)) listeners.release(release);
        else this.refuse("bad-signature");
      });
      return;
    }
    if (parsed.direction === "down" && parsed.device === device) {
      this.#hearOwn(parsed.kind, payload);
      return;
    }
    this.refuse("foreign-topic");
  }

  /** Counts a message that is not believed, and logs the first of its kind. */
  refuse(reason: string, detail?: string): void {
    const { counters, logger, device } = this.#options;
    counters.add(`messages.${reason}`);
    if (this.#logged.has(reason)) return;
    this.#logged.add(reason);
    logger.warn({ deviceId: device, reason, detail }, "message of the server ignored");
  }

  /** True when the manifest is of this task and the server has signed it. */
  isSigned(manifest: Manifest): boolean {
    const { task, serverKey } = this.#options;
    return manifest.task === task && verifyManifest(serverKey, manifest, manifest.signature);
  }

  /** True when the release is of this task and the server has signed it and what it names. */
  isSignedRelease(release: Release): boolean {
    const { task, serverKey } = this.#options;
    const { stable, trial } = release;
    const areSigned = [stable, ...(trial === null ? [] : [trial.manifest])].every((each) =>
      this.isSigned(each),
    );
    return release.task === task && areSigned && verifyRelease(serverKey, release, release.signature);
  }

  #hearOwn(kind: DownKind, payload: Uint8Array): void {
    const { listeners } = this.#options;
    switch (kind) {
      case "offer":
        this.#decode(downSchemas.offer, payload, (offer) => this.#hearOffer(offer));
        break;
      case "receipt":
        this.#decode(downSchemas.receipt, payload, (receipt) => this.#hearReceipt(receipt));
        break;
      case "wait":
        this.#decode(downSchemas.wait, payload, listeners.wait);
        break;
      case "missing":
        this.#decode(downSchemas.missing, payload, listeners.missing);
        break;
      case "block":
        this.#decode(downSchemas.block, payload, listeners.block);
        break;
      case "refusal":
        this.#decode(downSchemas.refusal, payload, listeners.refusal);
        break;
      case "model":
        this.#decode(downSchemas.model, payload, (answer) => this.#hearModel(answer));
        break;
      default:
        unreachable(kind);
    }
  }

  #decode<Schema extends z.ZodType>(
    schema: Schema,
    payload: Uint8Array,
    listener: (message: z.infer<Schema>) => void,
  ): void {
    const message = decodeMessage(schema, payload);
    if (message === undefined) this.refuse("malformed");
    else listener(message);
  }

  #hearOffer(offer: Offer): void {
    const { kind, manifest, beside = [] } = offer;
    if ((manifest === null) !== (kind === "fit") || (beside.length > 0 && kind !== "evaluate")) {
      this.refuse("malformed");
      return;
    }
    if (manifest !== null && ![manifest, ...beside].every((each) => this.isSigned(each))) {
      this.refuse("bad-signature");
      return;
    }
    this.#options.listeners.offer(offer);
  }

  #hearModel(answer: DownMessage<"model">): void {
    const { task, device, serverKey, listeners } = this.#options;
    const { manifest, reason, signature } = answer;
    if ((manifest === null) === (reason === null)) {
      this.refuse("malformed");
      return;
    }
    const isSigned =
      verifyAnswer(serverKey, { ...answer, task, device }, signature) &&
      (manifest === null || this.isSigned(manifest));
    if (isSigned) listeners.model(answer);
    else this.refuse("bad-signature");
  }

  #hearReceipt(receipt: Receipt): void {
    const { task, device, serverKey, listeners } = this.#options;
    const { updateId, round, status, reason, signature } = receipt;
    const claim = { task, device, updateId, round, status, reason };
    if (verifyReceipt(serverKey, claim, signature)) listeners.receipt(receipt);
    else this.refuse("bad-signature");
  }
}
