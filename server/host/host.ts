// A server process, put together: data folder, broker, rounds and HTTP. It starts whole or not at all, and stops in the
// order in which nothing is asked of what has gone.

import { isLoopback } from "../../shared/address.js";
import { type Clock, systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { createLogger, type Logger } from "../../shared/log.js";
import { createRuntime } from "../../shared/model/create-runtime.js";
import { defaultEngine } from "../../shared/model/engine.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { EventWriter } from "../../shared/tensorboard/writer.js";
import { headwaterVersion } from "../../shared/version.js";
import { type AlertConfig, AlertDesk } from "../alert/desk.js";
import type { EmbeddedBroker } from "../broker/broker.js";
import type { ServerFact } from "../fact.js";
import { DriftSource } from "../http/drift-view.js";
import { startHttp } from "../http/http.js";
import { trialView } from "../http/monitor-views.js";
import type { ApiSources } from "../http/views.js";
import { VerifyThread } from "../ingest/verify-thread.js";
import { ServerMeter } from "../metrics/meter.js";
import { ServerModels } from "../model/serving.js";
import { createServer, type Server } from "../server.js";
import { RoundScalars } from "../tensorboard/round-scalars.js";
import type { ServerHostConfig } from "./config.js";
import type { EnrolledDevices } from "./enrolled.js";
import { logFact } from "./fact-log.js";
import { type HostBroker, type HostBrokerParts, openHostBroker } from "./host-broker.js";
import { openServerFolder } from "./server-folder.js";
import { Undo } from "./undo.js";

/** What a caller brings along and keeps. */
export interface ServerHostParts {
  readonly runtime?: ModelRuntime;
  readonly logger?: Logger;
  readonly observe?: (fact: ServerFact) => void;
}

/** A running server process. */
export interface ServerHost {
  readonly server: Server;
  readonly enrolled: EnrolledDevices;
  /** Undefined over a broker of others. */
  readonly broker: EmbeddedBroker | undefined;
  readonly httpUrl: string | undefined;
  /** Where devices find it. */
  readonly brokerUrls: readonly string[];
  /** Stops gracefully; for the journal it is as if the process had died at a good moment. */
  stop(): Promise<void>;
}

/**
 * Starts a server. Rejects with `folder-locked`, `address-unusable`, `config-invalid`, `task-invalid` or
 * `storage-failed`, having let go of everything.
 */
export async function startServerHost(
  config: ServerHostConfig,
  parts: ServerHostParts = {},
): Promise<ServerHost> {
  const undo = new Undo();
  try {
    return await start(config, parts, undo);
  } catch (error) {
    await undo.all();
    throw error;
  }
}

async function start(config: ServerHostConfig, parts: ServerHostParts, undo: Undo): Promise<ServerHost> {
  const { task, http: address, seed } = config;
  const { logger = createLogger("info") } = parts;
  const clock = systemClock;
  const startedMs = clock.now();
  warnOfClock(clock, logger);
  const folder = openServerFolder(config.folder, { task: task.task.task, clock, seed });
  undo.later(async () => folder.close());
  const ground = { folder, clock, logger, counters: new Counters() };
  const { output } = task.task.model;
  const meter = new ServerMeter({ output, elapsed: () => clock.elapsed() });
  const observe = (fact: ServerFact) => {
    meter.observe(fact);
    alerts?.hear(fact);
    curves?.observe(fact);
    parts.observe?.(fact);
  };
  const { broker, server } = await startFederation(config, { ...parts, observe }, ground, undo);
  const of = (component: string) => ({ ...ground, logger: logger.child({ component }) });
  const curves = await openCurves(config, { ...of("tensorboard"), broker }, undo);
  let isRecovered = false;
  const { enrolled } = folder;
  const alerts = config.alerts && openAlerts(config.alerts, { ...of("alerts"), server });
  undo.later(async () => alerts?.close());
  const sources: ApiSources = {
    ...{ task: task.task, source: task, version: headwaterVersion(), server, enrolled, clock, startedMs },
    brokerCounters: ground.counters,
    broker: () => broker.describe(),
    actions: { operations: server, token: address?.token, isLoopback: isLoopback(address?.host ?? "") },
    trial: () => trialView(server.status(), task.task, server.trialEvidence()),
    drift: new DriftSource({ task: task.task, server, clock }),
    notReady: () => (isRecovered ? broker.trouble() : "the journal is being recovered"),
  };
  const models = new ServerModels({ ...sources, server, task: task.task });
  undo.later(() => models.close());
  const serving = { models, counters: server.counters, token: address?.token };
  const metrics = { meter, reports: () => server.reports(), alerts: () => alerts?.counts() ?? [] };
  const http = address && (await startHttp({ ...address, ...of("http"), sources, metrics, serving }));
  undo.later(async () => http?.close());
  await server.start();
  isRecovered = true;
  const { embedded, urls: brokerUrls } = broker;
  const { task: name, version } = { task: task.task.task, version: sources.version };
  logger.info(
    { component: "host", event: "started", task: name, version, brokerUrls, http: http?.url },
    "ready",
  );
  return { server, enrolled, broker: embedded, brokerUrls, httpUrl: http?.url, stop: () => undo.all() };
}

async function openCurves(
  { tensorboard: folder, task }: ServerHostConfig,
  { clock, logger, counters, broker }: HostBrokerParts & { readonly broker: HostBroker },
  undo: Undo,
): Promise<RoundScalars | undefined> {
  if (folder === undefined) return undefined;
  const writer = await EventWriter.open({ folder, clock, logger, counters });
  undo.later(() => writer.close());
  const traffic = () => {
    const { bytesUp: up, bytesDown: down } = broker.describe();
    return up === undefined || down === undefined ? undefined : { up, down };
  };
  const { output } = task.task.model;
  return new RoundScalars({ writer, output, elapsed: () => clock.elapsed(), traffic });
}

function openAlerts(
  config: AlertConfig,
  { folder, clock, logger, counters, server }: HostBrokerParts & { readonly server: Server },
): AlertDesk {
  const { task, seed, enrolled } = folder;
  return new AlertDesk({
    ...{ config, task, seed, clock, logger, counters },
    fleet: () => ({
      enrolled: enrolled.list().length,
      connected: server.status().devices.filter(({ isConnected }) => isConnected).length,
      journalFailures: server.counters.get("journal-failed"),
    }),
  });
}

async function startFederation(
  { task, broker: config }: ServerHostConfig,
  { runtime: given, observe }: ServerHostParts,
  ground: HostBrokerParts,
  undo: Undo,
): Promise<{ readonly broker: HostBroker; readonly server: Server }> {
  const { folder, clock } = ground;
  const logger = ground.logger.child({ component: "federation" });
  // First what takes long: a broker without its server turns devices away.
  const runtime = given ?? (await createRuntime(defaultEngine));
  try {
    const broker = await openHostBroker(config, {
      ...ground,
      logger: ground.logger.child({ component: "broker" }),
    });
    undo.later(() => broker.close());
    const verifyThread = VerifyThread.start();
    undo.later(() => verifyThread.close());
    const { database, stagingFolder, keys, seed, enrolled: devices } = folder;
    const server = await createServer({
      ...{ task, database, stagingFolder, keys, seed, devices, clock, logger, runtime, verifyThread },
      uplink: broker.uplink,
      limits: { chunkBytes: broker.chunkBytes },
      observe: (fact) => {
        logFact(logger, fact);
        observe?.(fact);
      },
    });
    undo.later(() => server.stop());
    // Asked again, and this time before the server stops: what is being handled is journaled and acknowledged first.
    undo.later(() => broker.close());
    return { broker, server };
  } finally {
    // The model is built, and the server computes without an engine.
    if (given === undefined) runtime.dispose();
  }
}

// Before this there was no Headwater. A board without a battery-backed clock starts at the epoch.
const OLDEST_SANE_MS = Date.UTC(2025, 0, 1);

function warnOfClock(clock: Clock, logger: Logger): void {
  const nowMs = clock.now();
  if (nowMs >= OLDEST_SANE_MS) return;
  logger.warn(
    { now: new Date(nowMs).toISOString() },
    "this machine's clock is wrong: versions will bear false dates, which devices may refuse as expired",
  );
}
