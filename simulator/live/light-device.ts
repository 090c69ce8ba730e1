// A device that speaks the whole protocol and learns nothing: a thousand of them fit into one process, for load on
// a real server. What it sends is valid: right shape, signed, small random deltas. Its statistics hold no quantiles, so
// its task must not scale robustly.

import { unreachable } from "../../shared/assert.js";
import type { Cancel, Clock } from "../../shared/clock.js";
import type { DeviceId, TaskId, UpdateId } from "../../shared/id.js";
import type { Random } from "../../shared/random.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import type { Link, Message } from "../../shared/transport/port.js";
import { type ByteRange, splitChunks } from "../../shared/wire/chunk.js";
import {
  type DownMessage,
  decodeMessage,
  downSchemas,
  encodeMessage,
  type Offer,
  signedTaskSchema,
  type UpMessage,
} from "../../shared/wire/message.js";
import { type KeyPair, signUpdate } from "../../shared/wire/signature.js";
import { deviceSubscriptions, parseTopic, topics, type UpKind } from "../../shared/wire/topic.js";
import { type UpdateHeader, updateIdOf } from "../../shared/wire/update.js";
import { encodeUpdate } from "../../shared/wire/update-frame.js";

/** What a light device is given. The link is its own. */
export interface LightDeviceOptions {
  readonly device: DeviceId;
  readonly task: TaskId;
  readonly keys: KeyPair;
  readonly link: Link;
  readonly clock: Clock;
  readonly random: Random;
  /** Floats of the params, and feature columns, of the task's model. */
  readonly params: number;
  readonly columns: number;
  /** Called with every receipt: time since its update was announced. */
  readonly onReceipt: (receipt: {
    readonly status: "accepted" | "rejected";
    readonly tookMs: number;
  }) => void;
}

/** Silence after which it says hello again: whatever it waited for was lost. */
const SILENCE_MS = 30_000;
/** Examples it claims to hold. */
const EXAMPLES = { train: 1000, validation: 100 } as const;
/** Scale of its deltas. */
const DELTA = 1e-3;

interface Upload {
  readonly updateId: UpdateId;
  readonly offer: Offer;
  readonly frame: Uint8Array;
  readonly sha256: string;
  readonly startedMs: number;
}

/** Runs from `start` until `stop`. */
export class LightDevice {
  readonly #options: LightDeviceOptions;
  #taskHash: string | undefined;
  #upload: Upload | undefined;
  #cancel: Cancel = () => undefined;

  constructor(options: LightDeviceOptions) {
    this.#options = options;
  }

  start(): void {
    const { link, task, device } = this.#options;
    link.open({
      clientId: device,
      subscriptions: deviceSubscriptions(task, device),
      will: { topic: topics.presence(task, device), payload: Buffer.from("offline"), retain: true },
      onConnected: () => this.#sayHello(),
      onDisconnected: () => this.#cancel(),
      onMessage: (message) => this.#hear(message),
    });
  }

  async stop(): Promise<void> {
    this.#cancel();
    await this.#options.link.close();
  }

  #hear({ topic, payload }: Message): void {
    const parsed = parseTopic(topic);
    if (parsed?.direction === "task") this.#adopt(payload);
    if (parsed?.direction !== "down") return;
    switch (parsed.kind) {
      case "offer":
        this.#decoded("offer", payload, (offer) => this.#work(offer));
        break;
      case "wait":
        this.#decoded("wait", payload, ({ retryMs }) => this.#helloAfter(retryMs));
        break;
      case "missing":
        this.#decoded("missing", payload, ({ updateId, ranges }) => this.#send(updateId, ranges));
        break;
      case "receipt":
        this.#decoded("receipt", payload, (receipt) => this.#end(receipt));
        break;
      case "block":
      case "refusal":
      case "model":
        break;
      default:
        unreachable(parsed);
    }
  }

  #decoded<Kind extends "offer" | "wait" | "missing" | "receipt">(
    kind: Kind,
    payload: Uint8Array,
    act: (message: DownMessage<Kind>) => void,
  ): void {
    const message = decodeMessage(downSchemas[kind], payload);
    // The schema of this kind has just checked it.
    if (message !== undefined) act(message as DownMessage<Kind>);
  }

  #adopt(payload: Uint8Array): void {
    const isFirst = this.#taskHash === undefined;
    this.#taskHash = decodeMessage(signedTaskSchema, payload)?.taskHash ?? this.#taskHash;
    if (isFirst) this.#sayHello();
  }

  #sayHello(): void {
    this.#helloAfter(SILENCE_MS);
    if (this.#taskHash === undefined) return;
    if (this.#upload !== undefined) this.#begin(this.#upload);
    const pending = this.#upload?.updateId ?? null;
    const state = { taskHash: this.#taskHash, stable: null, eligible: true, reason: null };
    this.#publish("hello", { v: 1, ...state, examples: EXAMPLES, pending, labels: {} });
  }

  #helloAfter(delayMs: number): void {
    this.#cancel();
    this.#cancel = this.#options.clock.after(delayMs, () => this.#sayHello());
  }

  #work(offer: Offer): void {
    // The server repeats an offer until it is settled.
    if (this.#upload?.offer.round === offer.round) return;
    const frame = this.#makeUpdate(offer);
    const sha256 = sha256Hex(frame);
    const { task, device, clock } = this.#options;
    const updateId = updateIdOf({ task, device, round: offer.round, sha256 });
    this.#upload = { updateId, offer, frame, sha256, startedMs: clock.now() };
    this.#begin(this.#upload);
  }

  #begin({ updateId, offer, frame, sha256 }: Upload): void {
    this.#helloAfter(SILENCE_MS);
    const { round, kind } = offer;
    const baseVersion = offer.manifest?.version ?? 0;
    const what = { updateId, round, kind, baseVersion, bytes: frame.length, sha256 };
    this.#publish("begin", { v: 1, ...what, examples: examplesOf(offer) });
  }

  #send(updateId: UpdateId, ranges: readonly ByteRange[]): void {
    const upload = this.#upload;
    if (upload?.updateId !== updateId) return;
    const { frame, offer, sha256 } = upload;
    const { task, device, keys } = this.#options;
    for (const [offset, length] of splitChunks(frame.length, offer.chunkBytes, ranges)) {
      this.#publish("chunk", { v: 1, updateId, offset, data: frame.subarray(offset, offset + length) });
    }
    const { round } = offer;
    const signature = signUpdate(keys.privateKey, { task, device, round, updateId, sha256 });
    this.#publish("commit", { v: 1, updateId, round, sha256, signature });
  }

  #end({ updateId, status }: DownMessage<"receipt">): void {
    const upload = this.#upload;
    if (upload?.updateId !== updateId) return;
    this.#upload = undefined;
    this.#options.onReceipt({ status, tookMs: this.#options.clock.now() - upload.startedMs });
    this.#sayHello();
  }

  #publish<Kind extends UpKind>(kind: Kind, message: UpMessage<Kind>): void {
    const { link, task, device } = this.#options;
    // What does not get through is said again after the next hello.
    link.publish(topics.up(task, device, kind), encodeMessage(message)).catch(() => undefined);
  }

  #makeUpdate(offer: Offer): Uint8Array {
    const { task, device, params, columns, random } = this.#options;
    const { round, kind, manifest } = offer;
    const header: UpdateHeader = {
      ...{ task, device, round, kind, examples: examplesOf(offer) },
      baseVersion: manifest?.version ?? 0,
      modelSignature: manifest?.modelSignature ?? null,
      ...{ train: null, evaluate: null, fit: null },
    };
    switch (kind) {
      case "train": {
        const delta = new Float32Array(params).map(() => DELTA * (random.uniform() - 0.5));
        const fingerprint = manifest?.fingerprint ?? "";
        const train = { codec: "float32", count: params, fingerprint, steps: 10, loss: 1 };
        return encodeUpdate({ ...header, train }, delta);
      }
      case "evaluate": {
        const rows = EXAMPLES.validation;
        const evaluate = { rows, squaredError: rows, absoluteError: rows, loss: rows, correct: 0 };
        return encodeUpdate({ ...header, evaluate }, undefined);
      }
      case "fit":
        return encodeUpdate({ ...header, fit: statistics(columns + 1) }, undefined);
      default:
        return unreachable(kind);
    }
  }
}

function examplesOf({ kind }: Offer): number {
  return kind === "evaluate" ? EXAMPLES.validation : EXAMPLES.train;
}

// Of columns that are all uniform on [-1, 1].
function statistics(columns: number) {
  const filled = (value: number) => new Array<number>(columns).fill(value);
  const count = EXAMPLES.train;
  return { count, mean: filled(0), m2: filled(count / 3), min: filled(-1), max: filled(1) };
}
