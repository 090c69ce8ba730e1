// A server process, put together: data folder, broker, rounds and HTTP. It starts whole or not at all, and stops in the
// order in which nothing is asked of what has gone.

import { createRequire } from "node:module";
import { type Clock, systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { createLogger, type Logger } from "../../shared/log.js";
import { defaultEngine } from "../../shared/model/engine.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../shared/model/tfjs.js";
import type { EmbeddedBroker } from "../broker/broker.js";
import type { ServerFact } from "../fact.js";
import { startHttp } from "../http/http.js";
import { VerifyThread } from "../ingest/verify-thread.js";
import { createServer, type Server } from "../server.js";
import type { ServerHostConfig } from "./config.js";
import type { EnrolledDevices } from "./enrolled.js";
import { logFact } from "./fact-log.js";
import { openHostBroker } from "./host-broker.js";
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

async function start(
  { task, folder: path, broker: brokerConfig, http: address, seed }: ServerHostConfig,
  { logger = createLogger("info"), observe, runtime }: ServerHostParts,
  undo: Undo,
): Promise<ServerHost> {
  const clock = systemClock;
  const startedMs = clock.now();
  warnOfClock(clock, logger);
  const folder = openServerFolder(path, { task: task.task.task, clock, seed });
  undo.later(async () => folder.close());
  const engine = runtime ?? (await createTfjsRuntime(defaultEngine));
  if (runtime === undefined) undo.later(async () => engine.dispose());
  const { enrolled, keys, database, stagingFolder } = folder;
  const counters = new Counters();
  const broker = await openHostBroker(brokerConfig, { folder, clock, logger, counters });
  undo.later(() => broker.close());
  const verifyThread = VerifyThread.start();
  undo.later(() => verifyThread.close());
  const server = await createServer({
    ...{
      task,
      database,
      stagingFolder,
      verifyThread,
      clock,
      keys,
      logger,
      runtime: engine,
      uplink: broker.uplink,
    },
    seed: folder.seed,
    devices: enrolled,
    limits: { chunkBytes: broker.chunkBytes },
    observe: (fact) => {
      logFact(logger, fact);
      observe?.(fact);
    },
  });
  undo.later(() => server.stop());
  let isRecovered = false;
  const sources = {
    ...{ task: task.task, version: headwaterVersion(), server, enrolled, clock, startedMs },
    brokerCounters: counters,
    broker: () => broker.describe(),
    notReady: () => (isRecovered ? broker.trouble() : "the journal is being recovered"),
  };
  const http = address && (await startHttp({ ...address, sources, logger }));
  undo.later(async () => http?.close());
  await server.start();
  isRecovered = true;
  return {
    ...{ server, enrolled, broker: broker.embedded, httpUrl: http?.url, brokerUrls: broker.urls },
    stop: () => undo.all(),
  };
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

function headwaterVersion(): string {
  // By its own name, so that it is found from the sources and from the build alike.
  const { version } = createRequire(import.meta.url)("headwater/package.json") as {
    readonly version: string;
  };
  return version;
}
