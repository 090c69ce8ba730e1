// The device: every part put together around one link, two databases and one clock. Readings come in; examples
// stay here; predictions and updates go out.

import { Counters } from "../shared/counters.js";
import { HeadwaterError, messageOf } from "../shared/error.js";
import type { UpdateId } from "../shared/id.js";
import { Inbox } from "../shared/inbox.js";
import type { Model } from "../shared/model/runtime.js";
import type { FittedScaler, Reading, Split } from "../shared/pipeline/types.js";
import { type Random, randomStream } from "../shared/random.js";
import type { LoadedTask } from "../shared/task/parse.js";
import type { Offer, Receipt, Release, SignedTask } from "../shared/wire/message.js";
import { deviceSubscriptions, topics } from "../shared/wire/topic.js";
import type { Agent, AgentOptions, AgentStatus } from "./agent-port.js";
import type { Mark } from "./checkpoint/mark.js";
import type { Replayable } from "./checkpoint/progress.js";
import { type Arrival, buildModel, Deployment } from "./deployment.js";
import type { RawExamples } from "./examples/batch.js";
import type { Observe } from "./fact.js";
import { Incoming, type Listeners } from "./incoming.js";
import type { PredictionPage, PredictionQuery } from "./infer/predictions.js";
import type { ServingDeployment } from "./infer/serving.js";
import { Intake } from "./ingest/intake.js";
import { Lifetime } from "./lifetime.js";
import { ModelCache } from "./model/cache.js";
import { Downloader } from "./model/downloader.js";
import type { MonitorSnapshot } from "./monitor/monitoring.js";
import { Outgoing } from "./outgoing.js";
import { Participant } from "./round/participant.js";
import { keepTask, readTask, verifySignedTask } from "./task-record.js";
import type { ExampleBatch } from "./train/trainer.js";
import { Outbox } from "./update/outbox.js";

export type { Agent, AgentOptions, AgentStatus } from "./agent-port.js";

/** Tasks that wait to be adopted. */
const TASKS_MAX = 4;

/** An agent, not yet started. */
export function createAgent(options: AgentOptions): Agent {
  return new DeviceAgent(options);
}

class DeviceAgent implements Agent {
  readonly counters = new Counters();
  readonly #options: AgentOptions;
  readonly #life: Lifetime;
  readonly #random: Random;
  readonly #observe: Observe;
  readonly #cache: ModelCache;
  readonly #outbox: Outbox;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  readonly #downloader: Downloader;
  readonly #participant: Participant;
  readonly #intake: Intake;
  readonly #tasks: Inbox<SignedTask>;
  #deployment: Deployment | undefined;
  /** The last verified word on what to serve: it may come before the task. */
  #release: Release | undefined;
  /** The last hello said that this device may not train, so the server should hear when it may. */
  #isRefusing = false;

  constructor(options: AgentOptions) {
    const { deviceId, task, keys, clock, seed, state } = options;
    const { counters } = this;
    this.#options = options;
    this.#life = new Lifetime(clock);
    this.#random = randomStream(seed, "retry", deviceId);
    this.#observe = (fact) => options.observe?.(fact);
    this.#cache = new ModelCache(state);
    this.#outbox = new Outbox(state);
    const common = { task, device: deviceId, counters, clock: this.#life, random: this.#random };
    this.#outgoing = new Outgoing({ ...common, link: options.link });
    this.#downloader = new Downloader({
      ...common,
      cache: this.#cache,
      keepaliveMs: options.link.keepaliveMs,
      get: (part) => void this.#outgoing.send("get", part),
    });
    this.#participant = new Participant({
      ...common,
      privateKey: keys.privateKey,
      outbox: this.#outbox,
      outgoing: this.#outgoing,
      observe: this.#observe,
      work: () => this.#deployed().work,
      sayHello: (pending) => this.#sayHello(pending),
    });
    this.#incoming = new Incoming({ ...options, ...common, listeners: this.#listeners() });
    this.#intake = new Intake({
      ...common,
      signal: this.#life.signal,
      eventNow: options.eventNow ?? (() => clock.now()),
      deployment: () => this.#deployment,
      onTaken: () => this.#noticeEligible(),
    });
    this.#tasks = new Inbox({ handle: (message) => this.#adopt(message), limit: TASKS_MAX });
  }

  async start(): Promise<void> {
    const kept = readTask(this.#options.state);
    if (kept !== undefined) await this.#tasks.post(kept);
    await this.#participant.recover(this.#outbox.list());
    this.#openLink();
  }

  async stop(): Promise<void> {
    const { isConnected } = this.#participant.state;
    this.#participant.stop();
    this.#deployment?.close();
    if (isConnected) await this.#outgoing.sayPresence("offline");
    this.#life.end();
    await this.#options.link.close();
  }

  abandon(): void {
    this.#life.end();
    this.#participant.stop();
    this.#deployment?.abandon();
  }

  ingest(readings: readonly Reading[]): Promise<void> {
    return this.#intake.ingest(readings);
  }

  resume(replayable: Replayable): Mark {
    this.#intake.hold();
    return this.#deployed().resume(replayable);
  }

  receive(arrival: Arrival): void {
    this.#intake.receive(arrival);
  }

  caughtUp(): void {
    this.#intake.release();
  }

  endOfData(): Promise<void> {
    return this.#intake.endOfData();
  }

  task(): LoadedTask | undefined {
    return this.#deployment?.loaded;
  }

  async examples(split: Split): Promise<RawExamples> {
    return this.#deployed().reader.raw(split);
  }

  async scaled(split: Split, scaler: FittedScaler): Promise<ExampleBatch> {
    return this.#deployed().reader.scaled(split, scaler);
  }

  predictions(query: PredictionQuery): PredictionPage {
    return this.#deployment?.predictions.find(query) ?? { predictions: [], next: undefined };
  }

  monitor(): MonitorSnapshot | undefined {
    return this.#deployment?.monitor();
  }

  deployed(): ServingDeployment | undefined {
    return this.#deployment?.shown;
  }

  status(): AgentStatus {
    const { isConnected, work, outbox } = this.#participant.state;
    return {
      deviceId: this.#options.deviceId,
      taskHash: this.#deployment?.loaded.taskHash,
      isConnected,
      serving: this.#deployment?.releases.slot.serving?.manifest.version,
      model: this.#deployment?.releases.slot.serving?.manifest,
      round: work?.offer.round,
      pending: outbox.map(({ updateId }) => updateId),
      examples: this.#deployment?.counts(),
      unlabelled: this.#deployment?.unlabelled(),
      checkpointMs: this.#deployment?.checkpointMs(),
    };
  }

  #openLink(): void {
    const { link, task, deviceId } = this.#options;
    link.open({
      clientId: deviceId,
      subscriptions: deviceSubscriptions(task, deviceId),
      will: { topic: topics.presence(task, deviceId), payload: Buffer.from("offline"), retain: true },
      onConnected: () => {
        if (this.#life.signal.aborted) return;
        void this.#outgoing.sayPresence("online");
        this.#downloader.askAgain();
        this.#participant.post({ type: "connected" });
        this.#deployment?.reportSoon();
      },
      onDisconnected: () => this.#participant.post({ type: "disconnected" }),
      onMessage: (message) => {
        if (!this.#life.signal.aborted) this.#incoming.hear(message);
      },
    });
  }

  #listeners(): Listeners {
    return {
      task: (message) => this.#hearTask(message),
      release: (release) => {
        this.#release = release;
        this.#deployment?.follow(release);
      },
      offer: (offer) => this.#hearOffer(offer),
      wait: ({ retryMs }) => this.#participant.hear({ type: "wait", retryMs }),
      missing: ({ updateId, ranges }) => this.#participant.hear({ type: "missing", updateId, ranges }),
      receipt: (receipt) => this.#hearReceipt(receipt),
      block: (block) => this.#downloader.accept(block),
      refusal: (refusal) => this.#downloader.refuse(refusal),
      model: () => this.#incoming.refuse("unwanted-model"),
    };
  }

  #hearTask(message: SignedTask): void {
    if (message.taskHash === this.#deployment?.loaded.taskHash) return;
    if (this.#tasks.length >= TASKS_MAX) {
      this.counters.add("messages.flood");
      return;
    }
    // A rejection can only be a bug of ours: it is left unhandled, so that it is seen.
    void this.#tasks.post(message);
  }

  #hearOffer(offer: Offer): void {
    const deployment = this.#deployment;
    if (deployment === undefined) {
      this.counters.add("messages.no-task");
      return;
    }
    this.#participant.hear({ type: "offer", offer, refusal: deployment.refusal(offer.kind) });
  }

  #hearReceipt({ updateId, round, status, reason }: Receipt): void {
    const ownRound = this.#outbox.roundOf(updateId);
    if (ownRound === undefined) this.counters.add("messages.unknown-update");
    else if (ownRound !== round) this.#incoming.refuse("wrong-round");
    else this.#participant.hear({ type: "receipt", updateId, status, reason });
  }

  /** Takes over a signed task, unless it is the one already running. The old one runs until the new one can. */
  async #adopt(message: SignedTask): Promise<void> {
    const verified = verifySignedTask(message, this.#options);
    if (!verified.ok) return this.#incoming.refuse(`task-${verified.reason}`, verified.detail);
    const { loaded } = verified;
    if (loaded.taskHash === this.#deployment?.loaded.taskHash) return;
    try {
      const model = await buildModel(loaded, this.#options.runtime);
      const { engine, refusals } = model;
      this.#options.logger.info({ engine, refusals }, "model built");
      if (this.#life.signal.aborted) return;
      keepTask(this.#options.state, message);
      this.#deploy(loaded, model);
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#incoming.refuse(`task-${error.code}`, messageOf(error));
    }
  }

  #deploy(loaded: LoadedTask, model: Model): void {
    this.#deployment?.close();
    const deployment = new Deployment(
      {
        ...this.#options,
        loaded,
        labels: this.#options.labels ?? {},
        mayTrain: this.#options.mayTrain,
        cache: this.#cache,
        downloader: this.#downloader,
        clock: this.#life,
        random: this.#random,
        counters: this.counters,
        observe: this.#observe,
        report: (report) => {
          // Only the last one counts: what cannot be sent now is made anew later.
          if (this.#participant.state.isConnected) void this.#outgoing.send("report", report);
        },
        isSigned: (manifest) => this.#incoming.isSigned(manifest),
        isSignedRelease: (release) => this.#incoming.isSignedRelease(release),
      },
      model,
    );
    this.#deployment = deployment;
    const { taskHash, pipelineHash } = loaded;
    // First, because whoever hears of the task brings what came before the start once more, and it is answered again.
    deployment.restore();
    this.#observe({ type: "task-adopted", taskHash, pipelineHash });
    if (this.#release !== undefined) deployment.follow(this.#release);
    this.#participant.post({ type: "task-adopted" });
  }

  #deployed(): Deployment {
    if (this.#deployment !== undefined) return this.#deployment;
    throw new HeadwaterError("data-missing", `device ${this.#options.deviceId} has no task yet`);
  }

  #sayHello(pending: UpdateId | undefined): void {
    const deployment = this.#deployed();
    const reason = deployment.refusal("train");
    const { train, validation } = deployment.counts();
    this.#isRefusing = reason !== undefined;
    void this.#outgoing.send("hello", {
      v: 1,
      taskHash: deployment.loaded.taskHash,
      stable: deployment.releases.slot.serving?.manifest.version ?? null,
      eligible: reason === undefined,
      reason: reason ?? null,
      examples: { train, validation },
      pending: pending ?? null,
      labels: this.#options.labels ?? {},
    });
  }

  #noticeEligible(): void {
    if (!this.#isRefusing || this.#deployment?.refusal("train") !== undefined) return;
    this.#isRefusing = false;
    this.#participant.post({ type: "eligible" });
  }
}
