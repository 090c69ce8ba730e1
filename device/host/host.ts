// A device agent as a process runs it: its folder, its connections, its thread for training, its sensors.

import type { AddressInfo } from "node:net";
import type { Clock } from "../../shared/clock.js";
import { systemClock } from "../../shared/clock.js";
import type { Logger } from "../../shared/log.js";
import { createRuntime } from "../../shared/model/create-runtime.js";
import { defaultEngine } from "../../shared/model/engine.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { randomStream } from "../../shared/random.js";
import { headwaterVersion } from "../../shared/version.js";
import type { Credential } from "../../shared/wire/credential.js";
import { keysFromSeed, publicKeyFromRaw } from "../../shared/wire/signature.js";
import { type Agent, createAgent } from "../agent.js";
import type { DeviceFact } from "../fact.js";
import type { HttpConfig } from "../http/config.js";
import { newestOfEach } from "../infer/predictions.js";
import { EventClock } from "../ingest/clock.js";
import { Inputs } from "../ingest/inputs.js";
import { RawLog } from "../log/raw-log.js";
import { Recorder } from "../log/recorder.js";
import { DeviceMeter } from "../metrics/meter.js";
import { Rules } from "../rules/rules.js";
import { createTrainerPool } from "../train/pool.js";
import type { Trainer } from "../train/trainer.js";
import { createUplink } from "../uplink.js";
import { bootId } from "./boot-id.js";
import type { DeviceConfig } from "./config.js";
import { type DeviceFolder, openDeviceFolder } from "./device-folder.js";
import { logFact } from "./fact-log.js";
import { refusalOf } from "./owner.js";
import { PredictionPublisher } from "./prediction-publisher.js";
import { Telemetry } from "./telemetry.js";
import { processUsage } from "./usage.js";

/** What may be put in the place of a process's own parts. Runtime and trainer stay the caller's. */
export interface DeviceHostParts {
  readonly runtime?: ModelRuntime;
  readonly trainer?: Trainer;
  readonly clock?: Clock;
  readonly logger: Logger;
  /** Instead of the machine's clock, or the replay's. */
  readonly eventNow?: () => number | undefined;
  /** The word of whoever runs the host, before the owner's. */
  readonly mayTrain?: () => string | undefined;
  readonly observe?: (fact: DeviceFact) => void;
}

/** A running device. */
export interface DeviceHost {
  readonly agent: Agent;
  readonly telemetry: { readonly isConnected: boolean };
  /** Where it answers HTTP, undefined while it does not. */
  httpAddress(): AddressInfo | undefined;
  /** Brings everything to disk, says goodbye, lets go of the folder. */
  stop(): Promise<void>;
}

/** Starts a device. Rejects with `folder-locked`, `storage-failed`, `engine-unavailable` or `config-invalid`. */
export async function startDeviceHost(config: DeviceConfig, parts: DeviceHostParts): Promise<DeviceHost> {
  const folder = openDeviceFolder(config.data, { ...config, device: config.credential.device });
  const closers: (() => Promise<void> | void)[] = [() => folder.close()];
  const close = async () => {
    for (const end of closers.splice(0).reverse()) await end();
  };
  try {
    const engines = await openEngines(parts);
    closers.push(engines.close);
    const host = assemble(config, parts, { folder, ...engines });
    closers.push(host.close);
    await host.agent.start();
    const http = config.http && (await host.openHttp(config.http));
    if (http !== undefined) closers.push(() => http.close());
    return {
      agent: host.agent,
      telemetry: host.telemetry,
      httpAddress: () => http?.address,
      stop: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Engines {
  readonly runtime: ModelRuntime;
  readonly trainer: Trainer;
}

async function openEngines(given: DeviceHostParts): Promise<Engines & { close(): Promise<void> }> {
  const runtime = given.runtime ?? (await createRuntime(defaultEngine));
  // One thread: training must not take the machine from what else it does.
  const trainer = given.trainer ?? (await createTrainerPool({ workers: 1, engine: defaultEngine }));
  return {
    runtime,
    trainer,
    async close() {
      if (given.trainer === undefined) await trainer.close();
      if (given.runtime === undefined) runtime.dispose();
    },
  };
}

function assemble(
  config: DeviceConfig,
  parts: DeviceHostParts,
  { folder, runtime, trainer }: Engines & { readonly folder: DeviceFolder },
) {
  const { credential, replay, predictions, limits } = config;
  const { clock = systemClock } = parts;
  const of = (component: string) => ({
    logger: parts.logger.child({ device: credential.device, component }),
  });
  const { logger } = of("federation");
  const startedMs = clock.now();
  const meter = new DeviceMeter(clock);
  const eventClock = new EventClock(clock, replay);
  const eventNow = parts.eventNow ?? eventClock.now;
  const agent: Agent = createAgent({
    ...identityOf(credential),
    ...{ ...folder, clock, logger, trainer: meter.timed(trainer) },
    runtime: config.http === undefined ? runtime : meter.timedRuntime(runtime),
    link: createUplink(config.server, credential, {
      ...{ clock, logger, random: randomStream("link", credential.device) },
    }),
    eventNow: () => (recorder.isFile ? undefined : eventNow()),
    mayTrain: () => parts.mayTrain?.() ?? refusalOf(limits, clock),
    labels: config.labels,
    usage: processUsage,
    boot: bootId(),
    observe: (fact) => observe(fact),
    watchRows: (task) => rules?.bind(task),
    keepsOnlineRows: config.http !== undefined,
    predictionKeep: predictions.keep,
  });
  const common = { device: credential.device, clock, logger, counters: agent.counters };
  const { telemetry: database } = folder;
  const rules =
    config.rules.length > 0
      ? new Rules({ ...common, ...of("rules"), rules: config.rules, database })
      : undefined;
  const inputs = new Inputs(eventClock);
  const log = new RawLog({
    ...common,
    ...of("telemetry"),
    database: folder.log,
    keepMs: config.rawLog.keepMs,
  });
  const recorder = new Recorder({ ...common, ...of("telemetry"), log, agent, inputs });
  const telemetry = new Telemetry({
    ...common,
    ...of("telemetry"),
    ...{ bindings: config.sources, recorder, inputs, agent, folder: config.data },
    eventClock: parts.eventNow === undefined ? eventClock : { heard: () => undefined, at: parts.eventNow },
  });
  const output = () => agent.task()?.task.model.output.kind;
  const announcing = { device: credential.device, version: headwaterVersion(), output };
  const { publish } = predictions;
  const publisher =
    publish &&
    createPublisher({
      ...{ ...common, ...of("predictions"), ...publish, task: credential.task },
      remembered: newestOfEach(database, publish.retainedEntities),
      homeAssistant: publish.homeAssistant ? announcing : undefined,
    });
  const observe = (fact: DeviceFact) => {
    logFact(logger, fact);
    meter.observe(fact);
    const task = agent.task();
    if (fact.type === "task-adopted" && task !== undefined) void telemetry.follow(task.task);
    if (fact.type === "prediction") publisher?.publish(fact);
    parts.observe?.(fact);
  };
  const close = async () => {
    await telemetry.close();
    recorder.close();
    await agent.stop();
    await publisher?.close();
    await rules?.close();
  };
  // A device has no memory to spare for what nobody asks.
  const openHttp = async (http: HttpConfig) => {
    const module = await import("../http/http.js");
    return module.openHttp({
      ...{ ...common, ...of("http"), agent, meter, startedMs, version: headwaterVersion(), config: http },
      isTelemetryConnected: () => telemetry.isConnected,
      random: randomStream("http", credential.device),
    });
  };
  return { agent, telemetry, openHttp, close };
}

function identityOf({ device, task, privateKey, serverKey }: Credential) {
  return {
    deviceId: device,
    task,
    keys: keysFromSeed(privateKey),
    serverKey: publicKeyFromRaw(serverKey),
    // The device's own chance spreads retries; what it learns is decided by the seeds of offers.
    seed: Buffer.from(privateKey).toString("base64"),
  };
}

function createPublisher(
  options: Omit<ConstructorParameters<typeof PredictionPublisher>[0], "clientId" | "random"> & {
    readonly device: string;
  },
): PredictionPublisher {
  const clientId = `${options.device}-predictions`;
  return new PredictionPublisher({ ...options, clientId, random: randomStream("predictions", clientId) });
}
