// A device whose messages are logged, on a disk that outlives its processes: killed wherever a test likes, also within
// a write.

import type { Agent } from "../../device/agent.js";
import { EventClock } from "../../device/ingest/clock.js";
import { Lifetime } from "../../device/lifetime.js";
import { logMigrations, RawLog } from "../../device/log/raw-log.js";
import { Recorder } from "../../device/log/recorder.js";
import { silentLogger } from "../../shared/log.js";
import type { Reading } from "../../shared/pipeline/types.js";
import type { Database } from "../../shared/storage/port.js";
import { openSqlite } from "../../shared/storage/sqlite.js";
import type { MemoryBroker } from "../../shared/transport/memory.js";
import { createDevice, createDisk, type Disk, type Engines } from "./device-kit.js";
import type { ManualClock } from "./manual-clock.js";

/** What outlives the process. */
export interface DurableDisk extends Disk {
  readonly log: Database;
}

export function createDurableDisk(): DurableDisk {
  return {
    ...createDisk(),
    log: openSqlite({ path: ":memory:", durability: "normal", migrations: logMigrations }),
  };
}

/** A power switch: the `left`-th transaction from now on is the last thing a process does, done or not. */
export interface Fuse {
  left: number;
  isDone: boolean;
}

/** Thrown where the process dies. */
export class Killed extends Error {}

/** The database of a process that dies when the fuse blows. */
export function fused(database: Database, fuse: Fuse): Database {
  return {
    run: (...args) => database.run(...args),
    get: (...args) => database.get(...args),
    all: (...args) => database.all(...args),
    iterate: (...args) => database.iterate(...args),
    close: () => database.close(),
    transaction(body) {
      const isLast = fuse.left-- === 0;
      if (isLast && !fuse.isDone) throw new Killed();
      const result = database.transaction(body);
      if (isLast) throw new Killed();
      return result;
    },
  };
}

/** One process of the device. */
export interface DurableProcess {
  readonly agent: Agent;
  readonly recorder: Recorder;
  /** The log has been brought again. */
  caughtUp(): boolean;
  /** Where a file goes on. */
  position(): number;
  stop(): Promise<void>;
  kill(): void;
}

/** Starts a process that has its task on disk, or hears it from the server. Payloads are JSON of one reading. */
export async function startProcess(options: {
  readonly name: string;
  readonly clock: ManualClock;
  readonly broker: MemoryBroker;
  readonly engines: Engines;
  readonly disk: DurableDisk;
  readonly fuse?: Fuse;
  /** A file instead of the log. */
  readonly file?: string;
}): Promise<DurableProcess> {
  const { disk, fuse = { left: -1, isDone: false }, clock, file } = options;
  const life = new Lifetime(clock);
  const eventClock = new EventClock(life, undefined);
  const state = { isCaughtUp: false, position: 0 };
  const serve = () => {
    const { position, caughtUp } = recorder.serve({
      file,
      isTimedByArrival: () => false,
      receive: ({ payload, arrivalMs }, { mark }) => {
        const eventNowMs = file === undefined ? eventClock.at(arrivalMs) : undefined;
        const reading = JSON.parse(Buffer.from(payload).toString()) as Reading;
        device.agent.receive({ readings: [reading], bytes: payload.length, eventNowMs, mark });
      },
    });
    state.position = position;
    void caughtUp.then(() => {
      state.isCaughtUp = true;
    });
  };
  const device = createDevice({
    ...options,
    disk: { state: disk.state, telemetry: fused(disk.telemetry, fuse) },
    agent: {
      eventNow: file === undefined ? eventClock.now : () => undefined,
      observe: (fact) => {
        if (fact.type === "task-adopted") serve();
      },
    },
  });
  const { counters } = device.agent;
  const log = new RawLog({
    ...{ clock: life, counters, logger: silentLogger, keepMs: Number.POSITIVE_INFINITY },
    database: fused(disk.log, fuse),
  });
  const recorder = new Recorder({
    log,
    agent: device.agent,
    inputs: eventClock,
    clock: life,
    counters,
    logger: silentLogger,
  });
  await device.agent.start();
  return {
    agent: device.agent,
    recorder,
    caughtUp: () => state.isCaughtUp,
    position: () => state.position,
    async stop() {
      recorder.close();
      await device.agent.stop();
    },
    kill() {
      life.end();
      device.kill();
    },
  };
}
