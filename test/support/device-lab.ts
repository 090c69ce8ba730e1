// One device against a scripted server, in virtual time: what tests of a whole device begin with.

import { beforeEach } from "vitest";
import { createMemoryBroker, type MemoryBroker } from "../../shared/transport/memory.js";
import type { Manifest } from "../../shared/wire/message.js";
import { type BenchDevice, createDevice, type Engines } from "./device-kit.js";
import { linearReadings, linearTask } from "./linear-task.js";
import { ManualClock } from "./manual-clock.js";
import { ScriptedServer } from "./scripted-server.js";
import { testEngines } from "./test-engines.js";

/** Whatever differs from a new device on the lab's broker. */
export type DeviceOptions = Partial<Parameters<typeof createDevice>[0]>;

/** The world of the test that runs. */
export interface DeviceLab {
  readonly engines: Engines;
  readonly clock: ManualClock;
  readonly broker: MemoryBroker;
  /** Of `linearTask`, which it has not yet given out. */
  readonly server: ScriptedServer;
  /** A device that has not been started. */
  device(options?: DeviceOptions): BenchDevice;
  /** One that has been, and knows its task. */
  adopted(options?: DeviceOptions): Promise<BenchDevice>;
  /** One that has adopted the task, has examples and has said hello. */
  ready(options?: DeviceOptions): Promise<BenchDevice>;
  /** A version whose blob can be pulled. */
  version(number: number, changes?: Parameters<ScriptedServer["version"]>[2]): Promise<Manifest>;
}

/** Call at the top of a test file: everything but the engines is new in each test. */
export function deviceLab(): DeviceLab {
  const engines = testEngines();
  let clock: ManualClock;
  let broker: MemoryBroker;
  let server: ScriptedServer;
  beforeEach(() => {
    clock = new ManualClock();
    broker = createMemoryBroker({ clock });
    server = new ScriptedServer(broker, linearTask());
  });
  const device = (options: DeviceOptions = {}) =>
    createDevice({ name: "pump-1", clock, broker, engines, ...options });
  const adopted = async (options?: DeviceOptions) => {
    const started = device(options);
    await started.agent.start();
    await clock.until(() => started.of("task-adopted").length > 0);
    return started;
  };
  return {
    engines,
    get clock() {
      return clock;
    },
    get broker() {
      return broker;
    },
    get server() {
      return server;
    },
    device,
    adopted,
    async ready(options) {
      const pump = await adopted(options);
      await pump.agent.ingest(linearReadings("pump-1", 100));
      await clock.until(() => server.of("hello").some(({ eligible }) => eligible));
      return pump;
    },
    version: (number, changes) => server.version(number, engines.runtime, changes),
  };
}
