// The aggregator, put together from its parts.

import type { KeyObject } from "node:crypto";
import type { Clock } from "../shared/clock.js";
import { Counters } from "../shared/counters.js";
import { HeadwaterError, messageOf } from "../shared/error.js";
import type { DeviceId } from "../shared/id.js";
import type { Logger } from "../shared/log.js";
import type { ModelRuntime } from "../shared/model/runtime.js";
import type { Database } from "../shared/storage/port.js";
import type { LoadedTask } from "../shared/task/parse.js";
import type { Uplink } from "../shared/transport/port.js";
import type { KeyPair } from "../shared/wire/signature.js";
import type { ServerFact } from "./fact.js";
import { FleetRegistry } from "./fleet/registry.js";
import type { IngestContext } from "./ingest/context.js";
import { Downlink } from "./ingest/downlink.js";
import { DropLog } from "./ingest/drop-log.js";
import { ReceiptStore } from "./ingest/receipts.js";
import { route } from "./ingest/router.js";
import { Staging } from "./ingest/staging.js";
import { createLearning, type Learning } from "./model/learning.js";
import { VersionMaker } from "./model/maker.js";
import { Publisher } from "./model/publisher.js";
import { ModelRegistry, type ModelVersion } from "./model/registry.js";
import { VersionStore } from "./model/version-store.js";
import { Coordinator } from "./round/coordinator.js";
import { Effects } from "./round/effects.js";
import { policyOf } from "./round/policy.js";
import { describeStatus, type ServerStatus } from "./status.js";
import { SqliteJournal, type Stores } from "./storage.js";

/** What a server stands on. All of it stays the caller's, who closes the database after `stop`. */
export interface ServerOptions {
  readonly task: LoadedTask;
  /** Opened with `serverMigrations` and durability `full`; nobody else writes to it. */
  readonly database: Database;
  readonly uplink: Uplink;
  readonly clock: Clock;
  /** Root of all chance: initial params, selection, the seeds of offers. */
  readonly seed: string;
  readonly keys: KeyPair;
  /** Who may take part. */
  readonly devices: { publicKey(device: DeviceId): KeyObject | undefined };
  readonly runtime: ModelRuntime;
  readonly logger: Logger;
  readonly observe?: (fact: ServerFact) => void;
  readonly limits?: Partial<ServerLimits>;
}

/** Bounds of ours. */
export interface ServerLimits {
  /** Most data in one chunk or block. 32 KiB: a whole packet fits what any common broker lets through. */
  readonly chunkBytes: number;
  /** Devices remembered. */
  readonly devices: number;
  /** Most bytes of all uploads under way together. */
  readonly stagingBytes: number;
  /** Most updates of one device in one round that get a word. An outbox holds eight. */
  readonly receiptsPerRound: number;
}

/** One task's aggregator. */
export interface Server {
  /** Resumes where the database says it was, and answers devices. Rejects when the database cannot be written. */
  start(): Promise<void>;
  /** Lets go of everything without writing anything: for the database it is as if the process had died. */
  stop(): Promise<void>;
  readonly counters: Counters;
  status(): ServerStatus;
  /** A version with its content, undefined when it is not kept (any more). Nobody writes to its params. */
  model(version: number): Promise<ModelVersion | undefined>;
  /** Rejects on a mistake of our own, after which nothing it says should be trusted. Never resolves. */
  readonly failed: Promise<never>;
}

const defaultLimits: ServerLimits = {
  chunkBytes: 32 * 1024,
  devices: 10_000,
  stagingBytes: 8 * 1024 ** 3,
  receiptsPerRound: 16,
};

/**
 * A server for `task` over `database`. Rejects with `task-invalid` when the database holds versions of a task
 * whose params mean something else, with `model-unsupported` when the engine cannot build the model.
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { task, database, runtime, seed } = options;
  const learning = await createLearning(task, runtime, seed);
  claimDatabase(database, task, learning);
  return new TaskServer(options, learning);
}

function claimDatabase(database: Database, { task }: LoadedTask, { identity }: Learning): void {
  database.run("INSERT OR IGNORE INTO identity (name, value) VALUES ('learning', ?)", identity);
  const row = database.get("SELECT value FROM identity WHERE name = 'learning'");
  if (row?.value === identity) return;
  throw new HeadwaterError(
    "task-invalid",
    `the database holds versions of another task, pipeline or model than ${task.task} has now: use another one`,
  );
}

class TaskServer implements Server {
  readonly counters: Counters;
  readonly failed: Promise<never>;
  readonly #options: ServerOptions;
  readonly #parts: Parts;
  #hasStarted: Promise<void> = Promise.resolve();

  constructor(options: ServerOptions, learning: Learning) {
    this.#options = options;
    this.#parts = assemble(options, learning);
    this.counters = this.#parts.base.counters;
    this.failed = this.#parts.failed;
  }

  start(): Promise<void> {
    this.#hasStarted = this.#start();
    // Delivery may begin at once; what arrives waits for the journal.
    this.#options.uplink.open((message) => this.#hasStarted.then(() => route(this.#parts.context, message)));
    return this.#hasStarted;
  }

  async stop(): Promise<void> {
    const { coordinator, effects, publisher } = this.#parts;
    effects.stop();
    publisher.stop();
    await coordinator.stop();
    await this.#options.uplink.close();
  }

  status(): ServerStatus {
    const { coordinator, fleet } = this.#parts;
    return describeStatus(this.#options.task.task, coordinator.state, fleet, this.counters);
  }

  model(version: number): Promise<ModelVersion | undefined> {
    return this.#parts.registry.model(version);
  }

  async #start(): Promise<void> {
    const { coordinator, fleet, publisher } = this.#parts;
    await coordinator.load();
    for (const device of coordinator.state.fleet.keys()) fleet.expect(device);
    await publisher.publishTask();
    await coordinator.recover();
  }
}

/** The parts that outlive their making. */
interface Parts {
  readonly base: Base;
  readonly failed: Promise<never>;
  readonly fleet: FleetRegistry;
  readonly registry: ModelRegistry;
  readonly publisher: Publisher;
  readonly effects: Effects;
  readonly coordinator: Coordinator;
  readonly context: IngestContext;
}

/** What nearly every part needs. */
interface Base extends Stores {
  readonly limits: ServerLimits;
  readonly counters: Counters;
  readonly downlink: Downlink;
  readonly fleet: FleetRegistry;
  readonly registry: ModelRegistry;
  readonly observe: (fact: ServerFact) => void;
}

function assemble(options: ServerOptions, learning: Learning): Parts {
  const { task, clock, keys, logger, seed, uplink } = options;
  const base = layBase(options);
  const { failed, fail } = watchForFaults(logger);
  const publisher = new Publisher({ ...options, counters: base.counters });
  const maker = new VersionMaker({ ...base, task: task.task, keys, clock, learning });
  // Each needs the other: what is made comes back as an event.
  const effects: Effects = new Effects({
    ...base,
    ...{ seed, clock, logger, publisher, maker, fail, uplink },
    chunkBytes: base.limits.chunkBytes,
    post: (occurrence, attached) => coordinator.post(occurrence, attached),
  });
  const coordinator = new Coordinator({
    ...{ clock, logger, fail, counters: base.counters },
    journal: new SqliteJournal(options.database, base),
    policy: policyOf(task.task, { seed, maxDevices: base.limits.devices }),
    execute: (command, state) => effects.execute(command, state),
  });
  const context = createContext(options, base, { learning, coordinator });
  return {
    base,
    failed,
    publisher,
    effects,
    coordinator,
    context,
    fleet: base.fleet,
    registry: base.registry,
  };
}

function layBase({ task, database, keys, limits, logger, observe, uplink }: ServerOptions): Base {
  const all = { ...defaultLimits, ...limits };
  const counters = new Counters();
  const versions = new VersionStore(database);
  return {
    limits: all,
    counters,
    versions,
    staging: new Staging(database),
    receipts: new ReceiptStore({ database, keys, task: task.task.task }),
    registry: new ModelRegistry(versions),
    downlink: new Downlink({ task: task.task.task, uplink, counters, logger }),
    fleet: new FleetRegistry({ limit: all.devices }),
    observe: observe ?? (() => undefined),
  };
}

function createContext(
  { task, clock, devices, logger }: ServerOptions,
  base: Base,
  { learning, coordinator }: { readonly learning: Learning; readonly coordinator: Coordinator },
): IngestContext {
  return {
    ...base,
    rules: {
      task: task.task.task,
      count: learning.spec.count,
      fingerprint: learning.spec.fingerprint,
      columns: learning.columns,
      examplesMax: task.task.rows.keep.rows,
    },
    taskHash: task.taskHash,
    minExamples: task.task.rounds.minExamples,
    drops: new DropLog(base.counters, logger),
    ...{ clock, devices, coordinator },
  };
}

function watchForFaults(logger: Logger): {
  readonly failed: Promise<never>;
  readonly fail: (error: unknown) => void;
} {
  let reject: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, rejectFailed) => {
    reject = rejectFailed;
  });
  // Whoever does not watch for it must not be ended by it.
  failed.catch(() => undefined);
  const fail = (error: unknown) => {
    logger.error({ error: messageOf(error) }, "a mistake of our own");
    reject(error);
  };
  return { failed, fail };
}
