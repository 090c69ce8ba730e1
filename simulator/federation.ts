// A whole federation in one process and in virtual time: the real server and the real devices, each with a disk of
// its own, on one broker in memory.

import { createHash } from "node:crypto";
import { type Agent, createAgent } from "../device/agent.js";
import type { DeviceFact } from "../device/fact.js";
import { stateMigrations, telemetryMigrations } from "../device/storage.js";
import type { Job, Trainer } from "../device/train/trainer.js";
import type { ServerFact } from "../server/fact.js";
import { createServer, type Server } from "../server/server.js";
import { serverMigrations } from "../server/storage.js";
import type { DeviceId } from "../shared/id.js";
import { type Logger, silentLogger } from "../shared/log.js";
import type { ModelRuntime } from "../shared/model/runtime.js";
import type { LoadedTask } from "../shared/task/parse.js";
import type { FaultModel } from "../shared/transport/fault.js";
import { createMemoryBroker, type MemoryBroker, type Traffic } from "../shared/transport/memory.js";
import { type KeyPair, keysFromSeed } from "../shared/wire/signature.js";
import { type RunEnd, type RunLimits, VirtualClock } from "./clock.js";
import { Disk } from "./disk.js";
import { createVirtualTrainer } from "./trainer.js";

/** What a federation is made of. Trainer and runtime stay the caller's. */
export interface FederationOptions {
  readonly task: LoadedTask;
  readonly devices: readonly DeviceId[];
  readonly seed: string;
  /** Does all devices' training, in real time. */
  readonly trainer: Trainer;
  /** Makes all devices' predictions, and the server's first params. */
  readonly runtime: ModelRuntime;
  /** Virtual time at which everything starts. */
  readonly startMs: number;
  /** What event times are judged by, asked with virtual time; absent: only data moves event time. */
  readonly eventNow?: (nowMs: number) => number | undefined;
  /** Virtual duration of a job; default: half a second and 5 ms per thousand values multiplied. */
  readonly costMs?: (job: Job) => number;
  readonly faults?: FaultModel;
  readonly logger?: Logger;
  readonly observeServer?: (fact: ServerFact) => void;
  readonly observeDevice?: (device: DeviceId, fact: DeviceFact) => void;
}

/** A federation that has been switched on. Nothing happens in it but while it runs. */
export interface Federation {
  readonly clock: VirtualClock;
  readonly server: Server;
  readonly agents: ReadonlyMap<DeviceId, Agent>;
  /** Bytes of all messages so far. */
  readonly traffic: Traffic;
  /** Lets virtual time pass. Rejects on a mistake of ours in any party. */
  run(limits: RunLimits): Promise<RunEnd>;
  /** Lets virtual time pass until `work` has settled, and gives its result. */
  during<Result>(work: Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** Builds the parties and starts them. */
export async function createFederation(options: FederationOptions): Promise<Federation> {
  const federation = new SimulatedFederation(options);
  await federation.start();
  return federation;
}

class SimulatedFederation implements Federation {
  readonly clock: VirtualClock;
  readonly agents = new Map<DeviceId, Agent>();
  readonly #options: FederationOptions;
  readonly #broker: MemoryBroker;
  readonly #disks: Disk[] = [];
  #server: Server | undefined;
  #fault: { readonly error: unknown } | undefined;

  constructor(options: FederationOptions) {
    this.#options = options;
    this.clock = new VirtualClock({ startMs: options.startMs });
    this.#broker = createMemoryBroker({
      clock: this.clock,
      ...(options.faults === undefined ? {} : { faults: options.faults }),
    });
  }

  get server(): Server {
    return this.#server!;
  }

  get traffic(): Traffic {
    return { ...this.#broker.traffic };
  }

  async start(): Promise<void> {
    this.#server = await this.#createServer();
    this.#server.failed.catch((error: unknown) => this.#fail(error));
    await this.during(this.#server.start());
    for (const device of this.#options.devices) {
      const agent = this.#createAgent(device);
      this.agents.set(device, agent);
      await this.during(agent.start());
    }
  }

  run({ until = () => false, ...limits }: RunLimits): Promise<RunEnd> {
    return this.clock.run({ ...limits, until: () => this.#throwFault() || until() });
  }

  async during<Result>(work: Promise<Result>): Promise<Result> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    work.then(settle, settle);
    await this.run({ until: () => isSettled });
    return work;
  }

  async close(): Promise<void> {
    for (const agent of this.agents.values()) agent.abandon();
    await this.during(this.server.stop());
    for (const disk of this.#disks) disk.destroy();
  }

  #createServer(): Promise<Server> {
    const { task, seed, runtime, logger = silentLogger, observeServer, devices } = this.#options;
    const known = new Map(devices.map((device) => [device, keysOf(seed, device).publicKey]));
    return createServer({
      ...{ task, seed, runtime, logger, clock: this.clock },
      database: this.#mount(serverMigrations),
      uplink: this.#broker.uplink(),
      keys: keysOf(seed, "server"),
      devices: { publicKey: (device) => known.get(device) },
      ...(observeServer === undefined ? {} : { observe: observeServer }),
    });
  }

  #createAgent(deviceId: DeviceId): Agent {
    const { task, seed, runtime, trainer, logger = silentLogger, eventNow, observeDevice } = this.#options;
    return createAgent({
      ...{ deviceId, seed, runtime, logger, clock: this.clock },
      task: task.task.task,
      keys: keysOf(seed, deviceId),
      serverKey: keysOf(seed, "server").publicKey,
      link: this.#broker.link(),
      state: this.#mount(stateMigrations),
      telemetry: this.#mount(telemetryMigrations),
      trainer: createVirtualTrainer({ clock: this.clock, trainer, costMs: this.#options.costMs ?? costOf }),
      eventNow: () => eventNow?.(this.clock.now()),
      observe: (fact) => observeDevice?.(deviceId, fact),
    });
  }

  #mount(migrations: ConstructorParameters<typeof Disk>[0]) {
    const disk = new Disk(migrations);
    this.#disks.push(disk);
    return disk.mount({ isOver: false });
  }

  #fail(error: unknown): void {
    this.#fault ??= { error };
  }

  #throwFault(): false {
    if (this.#fault !== undefined) throw this.#fault.error;
    return false;
  }
}

/** A party's keys: the same in every run of a seed. */
function keysOf(seed: string, party: string): KeyPair {
  return keysFromSeed(createHash("sha256").update(JSON.stringify([seed, "keys", party])).digest());
}

function costOf(job: Job): number {
  const passes = job.kind === "train" ? job.plan.epochs * 3 : 1;
  return 500 + (5 * passes * job.examples.rows * job.params.length) / 1e6;
}
