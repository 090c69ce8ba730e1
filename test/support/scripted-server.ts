// A server that does what a test tells it to: correct by default, one upload at a time, no rounds of its own.

import type { DeviceId } from "../../shared/id.js";
import { defineModel, modelSignature } from "../../shared/model/define.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { planPipeline } from "../../shared/pipeline/plan.js";
import { fitScaler, scalerHash } from "../../shared/pipeline/scaler.js";
import type { FittedScaler } from "../../shared/pipeline/types.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import { learnerOf } from "../../shared/task/learner.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import type { MemoryBroker } from "../../shared/transport/memory.js";
import type { MemoryUplink } from "../../shared/transport/memory-uplink.js";
import { missingRanges } from "../../shared/wire/chunk.js";
import {
  type DownMessage,
  decodeMessage,
  encodeMessage,
  type Manifest,
  type Offer,
  type Receipt,
  type Release,
  type SignedTask,
  type Trial,
  type UpMessage,
  upSchemas,
} from "../../shared/wire/message.js";
import { encodeModelBlob } from "../../shared/wire/model-blob.js";
import {
  type ReleaseClaim,
  signManifest,
  signReceipt,
  signRelease,
  signTask,
} from "../../shared/wire/signature.js";
import { type DownKind, parseTopic, topics, type UpKind } from "../../shared/wire/topic.js";
import { type DecodedUpdate, decodeUpdate } from "../../shared/wire/update-frame.js";
import { serverKeys } from "./device-kit.js";

interface Upload {
  readonly begin: UpMessage<"begin">;
  readonly frame: Uint8Array;
  readonly received: [number, number][];
}

/** What a device said. */
export interface Heard {
  readonly device: DeviceId;
  readonly kind: UpKind;
  readonly message: UpMessage;
}

/** A scripted server on a broker. */
export class ScriptedServer {
  readonly heard: Heard[] = [];
  readonly #broker: MemoryBroker;
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #uploads = new Map<string, Upload>();
  readonly #loaded: LoadedTask;
  #uplink: MemoryUplink;
  #sequence = 0;
  /** Answers a hello; nothing when it returns undefined. */
  onHello: (device: DeviceId) => void = (device) => this.wait(device, 60_000);
  /** False: a `get` is left without an answer. */
  onGet: (get: UpMessage<"get">) => boolean = () => true;
  /** Whole updates, in order of their commits. */
  readonly judged: DecodedUpdate[] = [];
  /** The word on a whole update; none when it returns undefined. */
  judge: (update: DecodedUpdate) => Pick<Receipt, "status" | "reason"> | undefined = () => ({
    status: "accepted",
    reason: null,
  });

  constructor(broker: MemoryBroker, loaded: LoadedTask) {
    this.#broker = broker;
    this.#loaded = loaded;
    this.#uplink = broker.uplink();
    this.#uplink.open(async (message) => this.#hear(message.topic, message.payload));
  }

  /** Messages of one kind. */
  of<Kind extends UpKind>(kind: Kind): UpMessage<Kind>[] {
    return this.heard.filter((heard) => heard.kind === kind).map(({ message }) => message as UpMessage<Kind>);
  }

  signedTask(loaded = this.#loaded): SignedTask {
    const claim = {
      v: 1,
      task: this.#loaded.task.task,
      source: loaded.source,
      taskHash: loaded.taskHash,
    } as const;
    return { ...claim, signature: signTask(serverKeys.privateKey, claim) };
  }

  async retainTask(message: SignedTask = this.signedTask()): Promise<void> {
    await this.#uplink.retain(topics.task(this.#loaded.task.task), encodeMessage(message));
  }

  /** The next release, without a trial. */
  async retainStable(stable: Manifest): Promise<void> {
    await this.retainRelease({ sequence: ++this.#sequence, stable, trial: null });
  }

  async retainRelease(parts: Omit<ReleaseClaim, "v" | "task">): Promise<void> {
    const { task } = this.#loaded.task;
    const claim = { v: 1 as const, task, ...parts };
    const release: Release = { ...claim, signature: signRelease(serverKeys.privateKey, claim) };
    await this.#uplink.retain(topics.release(task), encodeMessage(release));
  }

  /** A version of the task's model with these params (default: its own initial ones); its blob can be pulled. */
  async version(
    version: number,
    runtime: ModelRuntime,
    changes: {
      readonly params?: Float32Array;
      readonly scaler?: FittedScaler;
      readonly expiresMs?: number;
      readonly modelSignature?: string;
      readonly loaded?: LoadedTask;
      /** Of which candidate. */
      readonly arm?: string;
    } = {},
  ): Promise<Manifest> {
    const { task, pipelineHash } = changes.loaded ?? this.#loaded;
    const { arm } = changes;
    const definition = defineModel(learnerOf(task, arm)!.model, planPipeline(task).columns.length);
    const model = await runtime.model(definition);
    const params = changes.params ?? (await model.initialParams(`version ${version}`));
    const width = definition.inputs + 1;
    const zeros = new Array<number>(width).fill(0);
    const ones = new Array<number>(width).fill(1);
    const statistics = { count: 1, mean: zeros, m2: ones, min: zeros, max: ones };
    const scaler = changes.scaler ?? fitScaler(task, statistics);
    const { topologyHash } = definition;
    const signature =
      changes.modelSignature ??
      modelSignature({ pipelineHash, scalerHash: scalerHash(scaler), topologyHash });
    const { fingerprint } = model.spec;
    const blob = encodeModelBlob({ params, scaler, fingerprint, modelSignature: signature });
    const sha256 = sha256Hex(blob);
    this.#blobs.set(sha256, blob);
    const claim = {
      v: 1,
      task: task.task,
      version,
      parent: version - 1,
      ...(arm === undefined ? {} : { arm }),
      sha256,
      bytes: blob.length,
      fingerprint,
      modelSignature: signature,
      createdMs: 0,
      expiresMs: changes.expiresMs ?? Number.MAX_SAFE_INTEGER,
    } as const;
    return { ...claim, signature: signManifest(serverKeys.privateKey, claim) };
  }

  /** Changes, or with undefined forgets, what is served under a blob's hash. */
  setBlob(sha256: string, blob: Uint8Array | undefined): void {
    if (blob === undefined) this.#blobs.delete(sha256);
    else this.#blobs.set(sha256, blob);
  }

  blob(sha256: string): Uint8Array | undefined {
    return this.#blobs.get(sha256);
  }

  offer(device: DeviceId, offer: Pick<Offer, "round" | "kind" | "manifest"> & Partial<Offer>): void {
    this.send(device, "offer", {
      v: 1,
      sinceMs: null,
      seed: "seed",
      remainingMs: 120_000,
      chunkBytes: 1024,
      ...offer,
    });
  }

  wait(device: DeviceId, retryMs: number): void {
    this.send(device, "wait", { v: 1, retryMs, reason: "no round is open" });
  }

  send<Kind extends DownKind>(device: DeviceId, kind: Kind, message: DownMessage<Kind>): void {
    this.sendBytes(device, kind, encodeMessage(message));
  }

  sendBytes(device: DeviceId, kind: DownKind, payload: Uint8Array): void {
    void this.#uplink.send(device, topics.down(this.#loaded.task.task, device, kind), payload);
  }

  receipt(
    device: DeviceId,
    update: Pick<Receipt, "updateId" | "round">,
    word: Pick<Receipt, "status" | "reason">,
  ): Receipt {
    const { task } = this.#loaded.task;
    const { updateId, round } = update;
    const { status, reason } = word;
    const signature = signReceipt(serverKeys.privateKey, { task, device, updateId, round, status, reason });
    return { v: 1, updateId, round, status, reason, duplicate: false, signature };
  }

  /** The process dies: staged chunks stay, answers stop. */
  kill(): void {
    this.#uplink.abandon();
  }

  restart(): void {
    this.#uplink = this.#broker.uplink();
    this.#uplink.open(async (message) => this.#hear(message.topic, message.payload));
  }

  #hear(topic: string, payload: Uint8Array): void {
    const parsed = parseTopic(topic);
    if (parsed?.direction !== "up") return;
    const { device, kind } = parsed;
    const message = decodeMessage(upSchemas[kind], payload);
    if (message === undefined) throw new Error(`a device sent a malformed ${kind}`);
    this.heard.push({ device, kind, message });
    if (kind === "hello") this.onHello(device);
    if (kind === "get") this.#serve(device, message as UpMessage<"get">);
    if (kind === "begin") this.#begin(device, message as UpMessage<"begin">);
    if (kind === "chunk") this.#chunk(message as UpMessage<"chunk">);
    if (kind === "commit") this.#commit(device, message as UpMessage<"commit">);
  }

  #serve(device: DeviceId, get: UpMessage<"get">): void {
    const { sha256, offset, length } = get;
    if (!this.onGet(get)) return;
    const blob = this.#blobs.get(sha256);
    if (blob === undefined) {
      this.send(device, "refusal", { v: 1, sha256, reason: "unknown blob" });
      return;
    }
    const data = blob.subarray(offset, offset + length);
    this.send(device, "block", { v: 1, sha256, offset, total: blob.length, data });
  }

  #begin(device: DeviceId, begin: UpMessage<"begin">): void {
    const { updateId, bytes } = begin;
    if (!this.#uploads.has(updateId)) {
      this.#uploads.set(updateId, { begin, frame: new Uint8Array(bytes), received: [] });
    }
    this.#sendMissing(device, updateId);
  }

  #sendMissing(device: DeviceId, updateId: UpMessage<"begin">["updateId"]): void {
    const { received, frame } = this.#uploads.get(updateId)!;
    this.send(device, "missing", { v: 1, updateId, ranges: missingRanges(received, frame.length, 256) });
  }

  #chunk({ updateId, offset, data }: UpMessage<"chunk">): void {
    const upload = this.#uploads.get(updateId);
    upload?.frame.set(data, offset);
    upload?.received.push([offset, data.length]);
  }

  #commit(device: DeviceId, { updateId }: UpMessage<"commit">): void {
    const upload = this.#uploads.get(updateId)!;
    if (missingRanges(upload.received, upload.frame.length, 1).length > 0) {
      this.#sendMissing(device, updateId);
      return;
    }
    const update = decodeUpdate(upload.frame);
    this.judged.push(update);
    const word = this.judge(update);
    if (word !== undefined) this.send(device, "receipt", this.receipt(device, upload.begin, word));
  }
}

/** A trial that every device is in. */
export function trialOf(manifest: Manifest, mode: Trial["mode"], changes: Partial<Trial> = {}): Trial {
  return { ...{ manifest, mode, below: 2 ** 32, salt: "salt", labels: {} }, ...changes };
}
