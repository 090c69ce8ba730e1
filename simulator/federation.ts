// A whole federation in one process and in virtual time: the real server and the real devices, each on a machine of
// its own that can crash and come back, on one broker in memory.

import { createHash } from "node:crypto";
import { type Agent, createAgent } from "../device/agent.js";
import type { DeviceFact } from "../device/fact.js";
import { stateMigrations, telemetryMigrations } from "../device/storage.js";
import type { Job, Trainer } from "../device/train/trainer.js";
import type { ServerFact } from "../server/fact.js";
import type { ServerLimits } from "../server/options.js";
import { createServer, type Server } from "../server/server.js";
import { serverMigrations } from "../server/storage.js";
import { assert } from "../shared/assert.js";
import type { DeviceId } from "../shared/id.js";
import { type Logger, silentLogger } from "../shared/log.js";
import type { ModelRuntime } from "../shared/model/runtime.js";
import type { LoadedTask } from "../shared/task/parse.js";
import type { FaultModel } from "../shared/transport/fault.js";
import { createMemoryBroker, type MemoryBroker, type Traffic } from "../shared/transport/memory.js";
import type { MemoryLink } from "../shared/transport/memory-link.js";
import { type KeyPair, keysFromSeed } from "../shared/wire/signature.js";
import { type RunEnd, type RunLimits, VirtualClock } from "./clock.js";
import { Disk } from "./disk.js";
import { guardClock, guardLink, guardTrainer, guardUplink } from "./guard.js";
import { type Life, ProcessGone } from "./life.js";
import { Party } from "./party.js";
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
  /** Virtual duration of a job; default: half a second and 5 ms per million multiplications. */
  readonly costMs?: (job: Job) => number;
  readonly logger?: Logger;
  readonly observeServer?: (fact: ServerFact) => void;
  readonly observeDevice?: (device: DeviceId, fact: DeviceFact) => void;
  /** What the network does to messages; default: nothing. */
  readonly faults?: (clock: VirtualClock) => FaultModel;
  /** What lies between a device and the broker; default: nothing. */
  readonly tap?: (link: MemoryLink, device: DeviceId, clock: VirtualClock) => MemoryLink;
  /** What has become of a device's training; default: nothing. */
  readonly tamper?: (trainer: Trainer, device: DeviceId) => Trainer;
  /** Devices that the server knows, but that run no agent of ours. */
  readonly outsiders?: readonly DeviceId[];
  /** The server's own bounds; default: its own. */
  readonly serverLimits?: Partial<ServerLimits>;
  /** Called after every event. */
  readonly afterEach?: () => void;
  /** A process has died and stays down until it is restarted. */
  readonly onDeath?: (party: PartyId) => void;
}

/** Names one machine. */
export type PartyId = DeviceId | "server";

/** A federation that has been switched on. Nothing happens in it but while it runs. */
export interface Federation {
  readonly clock: VirtualClock;
  /** The running server; there must be one. */
  readonly server: Server;
  /** The devices that run. */
  readonly agents: ReadonlyMap<DeviceId, Agent>;
  readonly broker: MemoryBroker;
  /** Bytes of all messages so far. */
  readonly traffic: Traffic;
  /** One of the machines: to look at its disks, to crash it, to start it again. */
  party(id: PartyId): Party<Server> | Party<Agent>;
  /** Crashes a party, if it runs, and starts it again later. */
  restart(id: PartyId, afterMs: number): void;
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
  readonly broker: MemoryBroker;
  readonly #options: FederationOptions;
  readonly #server: Party<Server>;
  readonly #devices: ReadonlyMap<DeviceId, Party<Agent>>;
  readonly #keys = new Map<PartyId, KeyPair>();

  constructor(options: FederationOptions) {
    const { startMs, afterEach, faults, devices } = options;
    this.#options = options;
    this.clock = new VirtualClock({
      startMs,
      isExpected: (error) => error instanceof ProcessGone,
      ...(afterEach && { afterEach }),
    });
    this.broker = createMemoryBroker({
      clock: this.clock,
      ...(faults && { faults: faults(this.clock) }),
    });
    this.#server = this.#serverParty();
    this.#devices = new Map(devices.map((device) => [device, this.#deviceParty(device)]));
  }

  get server(): Server {
    const { program } = this.#server;
    assert(program !== undefined, "the server is down");
    return program;
  }

  get agents(): ReadonlyMap<DeviceId, Agent> {
    const running = new Map<DeviceId, Agent>();
    for (const [device, { program }] of this.#devices) {
      if (program !== undefined) running.set(device, program);
    }
    return running;
  }

  get traffic(): Traffic {
    return { ...this.broker.traffic };
  }

  async start(): Promise<void> {
    await this.during(this.#server.start());
    for (const party of this.#devices.values()) await this.during(party.start());
  }

  party(id: PartyId): Party<Server> | Party<Agent> {
    const party = id === "server" ? this.#server : this.#devices.get(id);
    assert(party !== undefined, `no party is called ${id}`);
    return party;
  }

  restart(id: PartyId, afterMs: number): void {
    const party = this.party(id);
    party.crash();
    this.clock.after(afterMs, () => void party.start());
  }

  run(limits: RunLimits): Promise<RunEnd> {
    return this.clock.run(limits);
  }

  async during<Result>(work: Promise<Result>): Promise<Result> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    work.then(settle, settle);
    await this.run({ until: () => isSettled });
    assert(isSettled, "nothing is left to happen, and what was waited for has not");
    return work;
  }

  async close(): Promise<void> {
    for (const party of [this.#server, ...this.#devices.values()]) {
      party.crash();
      for (const disk of Object.values(party.disks)) disk.destroy();
    }
  }

  #serverParty(): Party<Server> {
    const journal = new Disk(serverMigrations);
    return new Party({
      clock: this.clock,
      disks: { journal },
      build: (life) => this.#buildServer(life, journal),
      start: (server) => server.start(),
      onDeath: () => this.#options.onDeath?.("server"),
    });
  }

  async #buildServer(life: Life, journal: Disk): Promise<Server> {
    const { task, seed, runtime, logger = silentLogger, observeServer, devices, outsiders } = this.#options;
    const limits = this.#options.serverLimits;
    const enrolled = [...devices, ...(outsiders ?? [])];
    const known = new Map(enrolled.map((device) => [device, this.#keysOf(device).publicKey]));
    const server = await createServer({
      ...{ task, seed, runtime, logger },
      clock: guardClock(this.clock, life),
      database: journal.mount(life),
      uplink: guardUplink(this.broker.uplink(), life),
      keys: this.#keysOf("server"),
      devices: { publicKey: (device) => known.get(device) },
      observe: (fact) => life.call(() => observeServer?.(fact)),
      ...(limits && { limits }),
    });
    // Left unhandled, so that it ends the run; unless all that is wrong is that the process is dead.
    void life.hear(server.failed);
    return server;
  }

  #deviceParty(device: DeviceId): Party<Agent> {
    const state = new Disk(stateMigrations);
    const telemetry = new Disk(telemetryMigrations);
    return new Party({
      clock: this.clock,
      disks: { state, telemetry },
      build: async (life) => this.#buildAgent(device, life, { state, telemetry }),
      start: (agent) => agent.start(),
      onDeath: () => this.#options.onDeath?.(device),
    });
  }

  #buildAgent(
    deviceId: DeviceId,
    life: Life,
    { state, telemetry }: { readonly state: Disk; readonly telemetry: Disk },
  ): Agent {
    const { task, seed, runtime, logger = silentLogger, eventNow, observeDevice, tamper } = this.#options;
    const trainer = tamper?.(this.#options.trainer, deviceId) ?? this.#options.trainer;
    const { clock } = this;
    const link = this.broker.link();
    const costMs = this.#options.costMs ?? costOf;
    return createAgent({
      ...{ deviceId, seed, runtime, logger },
      task: task.task.task,
      keys: this.#keysOf(deviceId),
      serverKey: this.#keysOf("server").publicKey,
      link: guardLink(this.#options.tap?.(link, deviceId, clock) ?? link, life),
      state: state.mount(life),
      telemetry: telemetry.mount(life),
      clock: guardClock(clock, life),
      trainer: guardTrainer(createVirtualTrainer({ clock, trainer, costMs }), life),
      eventNow: () => eventNow?.(clock.now()),
      observe: (fact) => life.call(() => observeDevice?.(deviceId, fact)),
    });
  }

  #keysOf(party: PartyId): KeyPair {
    const keys = this.#keys.get(party) ?? partyKeys(this.#options.seed, party);
    this.#keys.set(party, keys);
    return keys;
  }
}

/** A party's keys: the same in every run of a seed. */
export function partyKeys(seed: string, party: PartyId): KeyPair {
  return keysFromSeed(
    createHash("sha256")
      .update(JSON.stringify([seed, "keys", party]))
      .digest(),
  );
}

function costOf(job: Job): number {
  const passes = job.kind === "train" ? job.plan.epochs * 3 : 1;
  return 500 + (5 * passes * job.examples.rows * job.params.length) / 1e6;
}
