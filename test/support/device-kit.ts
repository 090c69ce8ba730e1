// A device on a bench: real databases in memory, a real model runtime, keys from a seed.

import { type Agent, type AgentOptions, createAgent } from "../../device/agent.js";
import type { DeviceFact } from "../../device/fact.js";
import { stateMigrations, telemetryMigrations } from "../../device/storage.js";
import type { Trainer } from "../../device/train/trainer.js";
import { type DeviceId, parseDeviceId, parseTaskId, type TaskId } from "../../shared/id.js";
import { silentLogger } from "../../shared/log.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import type { Database } from "../../shared/storage/port.js";
import { openSqlite } from "../../shared/storage/sqlite.js";
import type { MemoryBroker } from "../../shared/transport/memory.js";
import type { MemoryLink } from "../../shared/transport/memory-link.js";
import { type KeyPair, keysFromSeed } from "../../shared/wire/signature.js";
import type { ManualClock } from "./manual-clock.js";

/** Keys that are the same in every run. */
export function testKeys(byte: number): KeyPair {
  return keysFromSeed(new Uint8Array(32).fill(byte));
}

export const serverKeys = testKeys(2);

/** The id, parsed. */
export function deviceId(name: string): DeviceId {
  return parseDeviceId(name)!;
}

export function taskId(name: string): TaskId {
  return parseTaskId(name)!;
}

/** Engines shared by the devices of one test. */
export interface Engines {
  readonly runtime: ModelRuntime;
  readonly trainer: Trainer;
}

/** What outlives a device's process. */
export interface Disk {
  readonly state: Database;
  readonly telemetry: Database;
}

/** New databases in memory. */
export function createDisk(maxPages: { readonly state?: number; readonly telemetry?: number } = {}): Disk {
  const open = (migrations: typeof stateMigrations, pages: number | undefined) =>
    openSqlite({
      path: ":memory:",
      durability: "normal",
      migrations,
      ...(pages === undefined ? {} : { maxPages: pages }),
    });
  return {
    state: open(stateMigrations, maxPages.state),
    telemetry: open(telemetryMigrations, maxPages.telemetry),
  };
}

/** A device process on the bench. */
export interface BenchDevice {
  readonly id: DeviceId;
  readonly agent: Agent;
  readonly link: MemoryLink;
  readonly disk: Disk;
  readonly facts: readonly DeviceFact[];
  /** The facts of one type. */
  of<Type extends DeviceFact["type"]>(type: Type): Extract<DeviceFact, { type: Type }>[];
  /** The process dies; its disk stays. */
  kill(): void;
}

/** A device that has not been started. */
export function createDevice(options: {
  readonly name: string;
  readonly clock: ManualClock;
  readonly broker: MemoryBroker;
  readonly engines: Engines;
  readonly disk?: Disk;
  readonly agent?: Partial<AgentOptions>;
}): BenchDevice {
  const { clock, broker, engines, disk = createDisk() } = options;
  const id = deviceId(options.name);
  const link = broker.link();
  const facts: DeviceFact[] = [];
  const agent = createAgent({
    deviceId: id,
    task: taskId("linear"),
    keys: testKeys(1),
    serverKey: serverKeys.publicKey,
    link,
    ...disk,
    clock,
    seed: "test",
    ...engines,
    logger: silentLogger,
    eventNow: () => undefined,
    observe: (fact) => facts.push(fact),
    ...options.agent,
  });
  return {
    id,
    agent,
    link,
    disk,
    facts,
    of: (type) => facts.filter((fact) => fact.type === type) as never,
    kill() {
      agent.abandon();
      link.abandon();
    },
  };
}
