// Model on demand: a program asks for a version by channel, gets a signed answer, pulls the blob, and goes. When it asks is
// its own business.

import { randomBytes } from "node:crypto";
import { type Artefact, checkArtefact, describeModel } from "../../shared/artefact/artefact.js";
import { type Clock, systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import { type Logger, silentLogger } from "../../shared/log.js";
import { createRuntime } from "../../shared/model/create-runtime.js";
import { defaultEngine } from "../../shared/model/engine.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import type { ParamSpec } from "../../shared/params/spec.js";
import { randomStream } from "../../shared/random.js";
import { Retry } from "../../shared/retry.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import type { Link } from "../../shared/transport/port.js";
import type { Credential } from "../../shared/wire/credential.js";
import {
  BLOB_BYTES_MAX,
  type DownMessage,
  type Manifest,
  type NoModelReason,
  type SignedTask,
} from "../../shared/wire/message.js";
import { decodeModelBlob } from "../../shared/wire/model-blob.js";
import { publicKeyFromRaw } from "../../shared/wire/signature.js";
import { deviceSubscriptions } from "../../shared/wire/topic.js";
import { Incoming } from "../incoming.js";
import { CHUNK_BYTES, Downloader } from "../model/downloader.js";
import { Outgoing } from "../outgoing.js";
import { verifySignedTask } from "../task-record.js";
import { createUplink, type UplinkBroker } from "../uplink.js";

/** A question without an answer is asked again. */
const RETRY = { firstMs: 5_000, maxMs: 60_000, jitter: 0.2 } as const;
const TIMEOUT_MS = 60_000;

/** What is asked, and of whom. */
export interface FetchModelOptions {
  /** Of an enrolled name that nobody else connects with: a running agent would be cut off. */
  readonly credential: Credential;
  readonly broker: UplinkBroker;
  /** stable, head, canary, own, or an alias; "stable" if absent. */
  readonly channel?: string;
  /** Only this version or a newer one: one more than what is there already. */
  readonly minVersion?: number;
  /** What the program can do with; the server does not offer anything else. */
  readonly accept?: Accept;
  /** Given up after; a minute if absent. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Instead of the machine's own. */
  readonly parts?: {
    readonly link?: Link;
    readonly clock?: Clock;
    readonly logger?: Logger;
    /** Stays the caller's. */
    readonly runtime?: ModelRuntime;
  };
}

/** Bounds on a version; what is absent restricts nothing. */
export interface Accept {
  /** Most bytes of its blob. */
  readonly bytes?: number;
  /** Fingerprint of its params' spec. */
  readonly fingerprint?: string;
  /** Its pipeline, scaler and topology. */
  readonly modelSignature?: string;
}

/** A version, verified: signed by the pinned key, whole, and of its task. Or the server's word that there is none for this question. */
export type FetchedModel =
  | { readonly ok: true; readonly model: Artefact }
  | { readonly ok: false; readonly reason: NoModelReason };

/**
 * Asks once, and connects only for that. Rejects with `transport-timeout` when no whole answer comes in time, with `aborted` by
 * the signal, and with `data-invalid` when what came does not belong together.
 */
export async function fetchModel(options: FetchModelOptions): Promise<FetchedModel> {
  const request = new Request(options);
  try {
    return await request.answer;
  } finally {
    await request.close();
  }
}

class Request {
  readonly answer: Promise<FetchedModel>;
  readonly #options: FetchModelOptions;
  readonly #clock: Clock;
  readonly #channel: string;
  readonly #id = randomBytes(16).toString("hex");
  readonly #end = new AbortController();
  readonly #link: Link;
  readonly #outgoing: Outgoing;
  readonly #downloader: Downloader;
  readonly #retry: Retry;
  #cancelRetry = () => {};
  #loaded: LoadedTask | undefined;
  #version: { readonly manifest: Manifest; readonly blob: Uint8Array } | undefined;
  #isPulling = false;
  #hasConnected = false;
  #resolve: (fetched: FetchedModel) => void = () => undefined;
  #reject: (error: HeadwaterError) => void = () => undefined;

  constructor(options: FetchModelOptions) {
    const { credential, channel = "stable", parts = {} } = options;
    const { clock = systemClock, logger = silentLogger } = parts;
    const { task, device } = credential;
    this.#options = options;
    this.#clock = clock;
    this.#channel = channel;
    const random = randomStream("on-demand", device, this.#id);
    const counters = new Counters();
    this.#retry = new Retry(RETRY, random);
    this.#link = parts.link ?? createUplink(options.broker, credential, { clock, logger, random });
    this.#outgoing = new Outgoing({ link: this.#link, task, device, counters });
    this.#downloader = new Downloader({
      // Nothing is kept here: what a program does with a version is its own business.
      cache: { blob: () => undefined },
      ...{ clock, random, counters, keepaliveMs: this.#link.keepaliveMs },
      get: (part) => void this.#outgoing.send("get", part),
    });
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever closes first need not look at it.
    this.answer.catch(() => undefined);
    this.#giveUpInTime();
    this.#open(this.#createIncoming(counters, logger));
  }

  async close(): Promise<void> {
    this.#cancelRetry();
    this.#end.abort();
    await this.#link.close();
  }

  /** Nothing is left to ask: the version is here, or on its way and goes on where it was. */
  get #hasAnswer(): boolean {
    return this.#isPulling || this.#version !== undefined;
  }

  /** How far it came, for who waits in vain. */
  get #progress(): string {
    if (!this.#hasConnected) return "the broker could not be reached, or refused the credential";
    return this.#hasAnswer ? "the version did not arrive whole" : "no server answered at this broker";
  }

  #createIncoming(counters: Counters, logger: Logger): Incoming {
    const { task, device, serverKey } = this.#options.credential;
    const ignore = () => undefined;
    return new Incoming({
      ...{ task, device, serverKey: publicKeyFromRaw(serverKey), counters, logger },
      listeners: {
        task: (message) => this.#hearTask(message),
        block: (block) => this.#downloader.accept(block),
        refusal: (refusal) => this.#downloader.refuse(refusal),
        model: (answer) => this.#hearAnswer(answer),
        ...{ release: ignore, offer: ignore, wait: ignore, missing: ignore, receipt: ignore },
      },
    });
  }

  #open(incoming: Incoming): void {
    const { task, device } = this.#options.credential;
    this.#link.open({
      clientId: device,
      subscriptions: deviceSubscriptions(task, device),
      onConnected: () => {
        this.#hasConnected = true;
        this.#downloader.askAgain();
        if (!this.#hasAnswer) this.#ask();
      },
      onDisconnected: () => undefined,
      onMessage: (message) => {
        if (!this.#end.signal.aborted) incoming.hear(message);
      },
    });
  }

  #giveUpInTime(): void {
    const { timeoutMs = TIMEOUT_MS, signal, broker } = this.#options;
    const cancel = this.#clock.after(timeoutMs, () =>
      this.#reject(
        new HeadwaterError(
          "transport-timeout",
          `no model on channel ${this.#channel} of ${broker.url} within ${timeoutMs} ms: ${this.#progress}`,
        ),
      ),
    );
    const abort = () => this.#reject(new HeadwaterError("aborted", "the question for a model was aborted"));
    this.#end.signal.addEventListener("abort", () => {
      cancel();
      signal?.removeEventListener("abort", abort);
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  }

  #ask(): void {
    const { minVersion = 0, accept = {} } = this.#options;
    const { bytes = BLOB_BYTES_MAX, fingerprint = null, modelSignature = null } = accept;
    this.#cancelRetry();
    this.#cancelRetry = this.#clock.after(this.#retry.next(), () => this.#ask());
    void this.#outgoing.send("want", {
      v: 1,
      ...{ id: this.#id, channel: this.#channel, minVersion },
      accept: { bytes, fingerprint, modelSignature },
    });
  }

  #hearTask(message: SignedTask): void {
    const { task, serverKey } = this.#options.credential;
    const verified = verifySignedTask(message, { task, serverKey: publicKeyFromRaw(serverKey) });
    if (!verified.ok) {
      this.#reject(
        new HeadwaterError("data-invalid", `the server's task: ${verified.reason} ${verified.detail}`),
      );
      return;
    }
    this.#loaded = verified.loaded;
    void this.#settle();
  }

  #hearAnswer({ id, channel, reason, manifest }: DownMessage<"model">): void {
    // A question that was asked twice is answered twice.
    if (id !== this.#id || channel !== this.#channel || this.#hasAnswer) return;
    this.#cancelRetry();
    if (reason !== null) this.#resolve({ ok: false, reason });
    else if (manifest !== null) void this.#pull(manifest);
  }

  async #pull(manifest: Manifest): Promise<void> {
    const { sha256, bytes } = manifest;
    this.#isPulling = true;
    const name = { sha256, bytes, chunkBytes: CHUNK_BYTES };
    const fetched = await this.#downloader
      .fetch(name, this.#end.signal)
      .catch(() => ({ ok: false }) as const);
    this.#isPulling = false;
    if (this.#end.signal.aborted) return;
    // It has been forgotten since the answer: there is a newer one.
    if (!fetched.ok) return this.#ask();
    this.#version = { manifest, blob: fetched.blob.bytes };
    await this.#settle();
  }

  async #settle(): Promise<void> {
    const [loaded, version] = [this.#loaded, this.#version];
    if (loaded === undefined || version === undefined) return;
    try {
      this.#resolve({ ok: true, model: await this.#verify(loaded, version) });
    } catch (error) {
      if (error instanceof HeadwaterError) this.#reject(error);
      else throw error;
    }
  }

  async #verify(loaded: LoadedTask, version: { readonly manifest: Manifest; readonly blob: Uint8Array }) {
    const { manifest, blob } = version;
    const content = decodeModelBlob(blob);
    if (!content.ok)
      throw new HeadwaterError("data-invalid", `version ${manifest.version} is refused: ${content.reason}`);
    const { params, scaler } = content;
    const publicKey = publicKeyFromRaw(this.#options.credential.serverKey);
    const model: Artefact = { loaded, manifest, publicKey, params, scaler, lineage: [] };
    checkArtefact(model, await this.#specOf(model));
    return model;
  }

  async #specOf({ loaded, manifest }: Artefact): Promise<ParamSpec> {
    const given = this.#options.parts?.runtime;
    const runtime = given ?? (await createRuntime(defaultEngine));
    try {
      return (await runtime.model(describeModel(loaded, manifest.arm).definition)).spec;
    } finally {
      if (given === undefined) runtime.dispose();
    }
  }
}
