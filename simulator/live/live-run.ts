// One federation in real time: the server and every device as in production, each with a data folder and connections
// of its own, over a real broker on loopback. Telemetry comes over another broker. They share the process, and in it
// the threads that train.

import { join } from "node:path";
import type { Agent } from "../../device/agent.js";
import type { DeviceConfig } from "../../device/host/config.js";
import { type DeviceHost, startDeviceHost } from "../../device/host/host.js";
import { defaultPredictionKeep } from "../../device/infer/keep.js";
import { defaultSourceLimits } from "../../device/ingest/sources/binding.js";
import type { Trainer } from "../../device/train/trainer.js";
import { startTelemetryBroker } from "../../server/broker/telemetry-broker.js";
import type { ServerFact } from "../../server/fact.js";
import { type ServerHost, startServerHost } from "../../server/host/host.js";
import type { ModelVersion } from "../../server/model/registry.js";
import { sleep, systemClock } from "../../shared/clock.js";
import { HeadwaterError } from "../../shared/error.js";
import type { DeviceId } from "../../shared/id.js";
import { type Logger, silentLogger } from "../../shared/log.js";
import { layOut } from "../../shared/pipeline/layout.js";
import type { Reading } from "../../shared/pipeline/types.js";
import type { Task } from "../../shared/task/task.js";
import type { EndedRun } from "../ended-run.js";
import { eventTimeAt } from "../feeder.js";
import { type LoopWatch, watchLoop } from "../loop/loop-watch.js";
import { plantTraitors } from "../loop/traitors.js";
import { Recorder } from "../recorder.js";
import { countAll, type RunOptions } from "../run.js";
import { replay } from "./replay.js";
import { sensorMessages } from "./sensor-message.js";

/** What a live run is made of. Trainer and runtime stay the caller's; the folder is filled and left. */
export interface LiveRunOptions extends RunOptions {
  readonly folder: string;
}

const LOOPBACK = "127.0.0.1";
/** Until every device must have the task, and listen to its sensors. */
const ADOPTION_MS = 60_000;
/** Longest time in which devices take nothing of what was published to them. */
const TAKING_MS = 60_000;
/** Longest time without a train round that has closed: a fleet on one machine is not that slow. */
const SILENCE_MS = 5 * 60_000;
const LOOK_MS = 20;
/** Readings of one topic that are due at once go into one message, as a gateway that had been offline would send. */
const BATCH = 100;
/** Of each device's databases. */
const DISK_BYTES = 1e9;
const LOG_BYTES = 1e8;
const LOG_KEEP_MS = 86_400_000;

/** A federation under way. */
export class LiveRun implements EndedRun {
  readonly recorder: Recorder;
  readonly loop: LoopWatch | undefined;
  readonly #options: LiveRunOptions;
  readonly #versions = new Map<number, Promise<ModelVersion | undefined>>();
  readonly #devices = new Map<DeviceId, DeviceHost>();
  readonly #closers: (() => Promise<void>)[] = [];
  #tamper: ((trainer: Trainer, device: DeviceId) => Trainer) | undefined;
  #server: ServerHost | undefined;
  #telemetryUrl = "";
  /** When telemetry began to stream. */
  #startedMs: number | undefined;
  #heardMs = 0;

  private constructor(options: LiveRunOptions) {
    this.#options = options;
    this.recorder = new Recorder({
      task: options.task.task,
      traffic: () => ({ ...(this.#server?.broker?.traffic ?? { up: 0, down: 0 }) }),
      onRound: () => this.#roundClosed(),
    });
    const { task, feed } = options;
    this.loop = watchLoop(task.task, feed, () => this.#eventNow() ?? feed.pace?.fromMs ?? 0);
    if (!options.poison) return;
    const hasLearntAnew = () => this.loop?.hasLearntAnew === true;
    this.#tamper = plantTraitors(task.task, [...feed.devices.keys()], hasLearntAnew);
  }

  /** Starts everything and waits until every device has the task. */
  static async start(options: LiveRunOptions): Promise<LiveRun> {
    const run = new LiveRun(options);
    try {
      await run.#start();
      return run;
    } catch (error) {
      await run.close();
      throw error;
    }
  }

  get agents(): ReadonlyMap<DeviceId, Agent> {
    return new Map([...this.#devices].map(([device, { agent }]) => [device, agent]));
  }

  /** The server's status page. */
  get statusUrl(): string {
    return this.#server?.httpUrl ?? "";
  }

  readonly during = <Result>(work: Promise<Result>): Promise<Result> => work;

  /** Streams the telemetry in and lets the fleet learn to the end. Rejects with `training-failed` when there is none. */
  async learn(): Promise<void> {
    const { pace } = this.#options.feed;
    this.#startedMs = systemClock.now();
    const streaming = this.#streamIn();
    // Where all data is history, the fleet learns from all of it.
    if (pace === undefined) await streaming;
    this.#heardMs = systemClock.now();
    await this.#until(
      () => this.recorder.finished !== undefined,
      () => this.#heardMs + SILENCE_MS,
    );
    await streaming;
    // What has been learnt meanwhile is tried to the end.
    this.#heardMs = systemClock.now();
    await this.#until(
      () => this.loop?.isTrialOpen !== true,
      () => this.#heardMs + SILENCE_MS,
    );
    this.recorder.end();
    if (this.recorder.finished !== undefined) return;
    const counted = JSON.stringify(this.counters());
    throw new HeadwaterError(
      "training-failed",
      `no round closed within ${SILENCE_MS} ms; counted: ${counted}`,
    );
  }

  async version(version: number | undefined): Promise<ModelVersion> {
    const found = version === undefined ? undefined : await this.#versions.get(version);
    if (found !== undefined) return found;
    throw new HeadwaterError("training-failed", `version ${version} was not kept`);
  }

  counters() {
    const { server } = this.#running;
    return countAll(server, this.agents.values(), this.recorder);
  }

  /** Stops devices, server and brokers, in this order. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  get #running(): ServerHost {
    if (this.#server !== undefined) return this.#server;
    throw new HeadwaterError("aborted", "the server has not started");
  }

  async #start(): Promise<void> {
    const { feed, logger = silentLogger } = this.#options;
    const telemetry = await startTelemetryBroker({ logger });
    this.#closers.push(() => telemetry.close());
    this.#telemetryUrl = telemetry.url;
    const starting = this.#startServer(logger);
    this.#server = await starting;
    this.#closers.push(() => this.#running.stop());
    for (const [device, readings] of feed.devices) await this.#startDevice(device, readings, logger);
    const giveUpMs = systemClock.now() + ADOPTION_MS;
    // The telemetry broker keeps nothing for those who come later.
    let listening = 0;
    await this.#until(
      () => {
        listening = this.#countListening();
        return listening === feed.devices.size;
      },
      () => giveUpMs,
    );
    if (listening === feed.devices.size) return;
    const count = `${listening} of ${feed.devices.size} devices`;
    const message = `${count} have the task and listen to their sensors after ${ADOPTION_MS} ms`;
    throw new HeadwaterError("training-failed", message);
  }

  #countListening(): number {
    const { adopted } = this.recorder;
    return [...this.#devices].filter(
      ([device, { telemetry }]) => adopted.has(device) && telemetry.isConnected,
    ).length;
  }

  #startServer(logger: Logger): Promise<ServerHost> {
    const { task, folder, seed, runtime } = this.#options;
    const starting: Promise<ServerHost> = startServerHost(
      {
        ...{ task, seed, folder: join(folder, "server") },
        broker: { kind: "embedded", listeners: [{ kind: "tcp", host: LOOPBACK, port: 0 }] },
        http: { host: LOOPBACK, port: 0 },
      },
      { runtime, logger, observe: (fact) => this.#hear(fact, starting) },
    );
    return starting;
  }

  async #startDevice(device: DeviceId, readings: readonly Reading[], logger: Logger): Promise<void> {
    const { recorder, loop } = this;
    const { runtime, feed } = this.#options;
    const trainer = this.#tamper?.(this.#options.trainer, device) ?? this.#options.trainer;
    // A scaler fitted to the first handful of rows would be frozen with the model.
    const fromMs = feed.pace?.fromMs ?? Infinity;
    const known = readings.filter(({ timeMs }) => timeMs <= fromMs).length;
    const host = await startDeviceHost(this.#configOf(device, readings), {
      ...{ trainer, runtime, logger },
      eventNow: () => this.#eventNow(),
      mayTrain: () => this.#mayTrain(device, known),
      observe: (fact) => {
        recorder.onDeviceFact(device, fact);
        loop?.onDeviceFact(device, fact);
      },
    });
    this.#devices.set(device, host);
    this.#closers.push(() => host.stop());
  }

  #configOf(device: DeviceId, readings: readonly Reading[]): DeviceConfig {
    const { task, folder } = this.#options;
    const { brokerUrls, enrolled } = this.#running;
    const endpoint = { url: this.#telemetryUrl };
    return {
      server: { url: brokerUrls[0]!, ca: undefined },
      credential: enrolled.enrol(device),
      data: join(folder, device),
      log: "warn",
      sources: {
        [layOut(task.task).source]: {
          ...{ kind: "mqtt", endpoint, topic: topicOf(task.task, device, readings) },
          ...{ isPersistent: false, limits: defaultSourceLimits },
        },
      },
      replay: undefined,
      predictions: { keep: defaultPredictionKeep, publish: undefined },
      rules: [],
      labels: {},
      rawLog: { durability: "normal", keepMs: LOG_KEEP_MS, bytes: LOG_BYTES },
      http: undefined,
      limits: { diskBytes: DISK_BYTES, maxLoad: undefined, minFreeMemory: undefined, quiet: undefined },
    };
  }

  #hear(fact: ServerFact, starting: Promise<ServerHost>): void {
    this.recorder.onServerFact(fact);
    this.loop?.onServerFact(fact);
    if (fact.type !== "version-published" || fact.line !== "head") return;
    const { version } = fact.manifest;
    // The server forgets old versions; every round's is scored at the end.
    this.#versions.set(
      version,
      starting.then(({ server }) => server.model(version)),
    );
  }

  #roundClosed(): void {
    this.#heardMs = systemClock.now();
    this.#options.onProgress(this.recorder.progress());
  }

  #eventNow(): number | undefined {
    const { pace } = this.#options.feed;
    if (pace === undefined || this.#startedMs === undefined) return undefined;
    return eventTimeAt(pace, this.#startedMs, systemClock.now());
  }

  #mayTrain(device: DeviceId, known: number): string | undefined {
    const taken = this.#devices.get(device)?.agent.counters.get("telemetry.taken") ?? 0;
    return taken < known ? `${taken} of ${known} readings of its history have come` : undefined;
  }

  async #streamIn(): Promise<void> {
    const { task, feed } = this.#options;
    const { pace } = feed;
    await replay({
      ...{ task: task.task, devices: feed.devices, endpoint: { url: this.#telemetryUrl }, batch: BATCH },
      ...{ clock: systemClock, logger: this.#options.logger ?? silentLogger },
      speed: pace?.speed ?? Infinity,
      ...(pace === undefined ? {} : { paceFromMs: pace.fromMs }),
    });
    await this.#untilTaken();
    for (const { agent } of this.#devices.values()) await agent.endOfData();
  }

  /** Acknowledged by the broker is not yet taken by the device. */
  async #untilTaken(): Promise<void> {
    let untaken = this.#untaken();
    let movedMs = systemClock.now();
    const hasAll = () => {
      const left = this.#untaken();
      if (left < untaken) movedMs = systemClock.now();
      untaken = left;
      return left === 0;
    };
    await this.#until(hasAll, () => movedMs + TAKING_MS);
    if (untaken === 0) return;
    const message = `devices have taken none of the last ${untaken} readings published within ${TAKING_MS} ms`;
    throw new HeadwaterError("training-failed", message);
  }

  /** Readings of the feed that no device has taken. */
  #untaken(): number {
    let left = 0;
    for (const [device, { agent }] of this.#devices) {
      const length = this.#options.feed.devices.get(device)?.length ?? 0;
      left += Math.max(0, length - agent.counters.get("telemetry.taken"));
    }
    return left;
  }

  async #until(isSo: () => boolean, giveUpMs: () => number): Promise<void> {
    while (!isSo() && systemClock.now() < giveUpMs()) await sleep(systemClock, LOOK_MS);
  }
}

/** The one topic a device listens to. */
function topicOf(task: Task, device: DeviceId, readings: readonly Reading[]): string {
  const { topicOf } = sensorMessages(task, layOut(task).source);
  const topics = new Set(readings.map((reading) => topicOf(device, reading)));
  const [topic] = topics;
  if (topic !== undefined && topics.size === 1) return topic;
  throw new HeadwaterError(
    "task-invalid",
    `device ${device} has telemetry on ${topics.size} topics, a live run needs 1: use --virtual`,
  );
}
