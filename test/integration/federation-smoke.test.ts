// One real server and three real devices on the memory broker: a linear model is learned, promoted and served.

import { expect, test } from "vitest";
import type { ServerFact } from "../../server/fact.js";
import { createServer, type Server } from "../../server/server.js";
import { serverMigrations } from "../../server/storage.js";
import type { UpdateId } from "../../shared/id.js";
import { silentLogger } from "../../shared/log.js";
import { randomStream } from "../../shared/random.js";
import { openSqlite } from "../../shared/storage/sqlite.js";
import type { FaultModel } from "../../shared/transport/fault.js";
import { createMemoryBroker, type MemoryBroker } from "../../shared/transport/memory.js";
import type { MemoryUplink } from "../../shared/transport/memory-uplink.js";
import { type BenchDevice, createDevice, type Disk, serverKeys, testKeys } from "../support/device-kit.js";
import { linearReadings, linearTask } from "../support/linear-task.js";
import { ManualClock } from "../support/manual-clock.js";
import { testEngines } from "../support/test-engines.js";

const ROUNDS = 3;
const NAMES = ["pump-1", "pump-2", "pump-3"];

const engines = testEngines();

/** A federation whose parties can die and come back on their own disks. */
class Federation {
  readonly clock = new ManualClock();
  readonly broker: MemoryBroker;
  readonly facts: ServerFact[] = [];
  readonly devices: BenchDevice[] = [];
  readonly #database = openSqlite({ path: ":memory:", durability: "full", migrations: serverMigrations });
  #uplink: MemoryUplink | undefined;
  server: Server | undefined;

  constructor(faults?: FaultModel) {
    this.broker = createMemoryBroker({ clock: this.clock, ...(faults && { faults }) });
  }

  async start(): Promise<void> {
    await this.startServer();
    for (const name of NAMES) await this.startDevice(name);
    await this.clock.until(() => this.devices.every((pump) => pump.of("task-adopted").length > 0));
    for (const { agent, id } of this.devices) {
      await agent.ingest(linearReadings(id, 200));
      await agent.endOfData();
    }
  }

  async startServer(): Promise<void> {
    this.#uplink = this.broker.uplink();
    this.server = await createServer({
      task: linearTask({ rounds: `max: ${ROUNDS}, minDevices: 3` }),
      database: this.#database,
      uplink: this.#uplink,
      clock: this.clock,
      seed: "smoke",
      keys: serverKeys,
      devices: { publicKey: (device) => (NAMES.includes(device) ? testKeys(1).publicKey : undefined) },
      runtime: engines.runtime,
      logger: silentLogger,
      observe: (fact) => this.facts.push(fact),
    });
    this.server.failed.catch((error: unknown) => {
      throw error;
    });
    await this.server.start();
  }

  async restartServer(downtimeMs: number): Promise<void> {
    this.#uplink?.abandon();
    await this.server?.stop();
    await this.clock.advance(downtimeMs);
    await this.startServer();
  }

  async startDevice(name: string, disk?: Disk): Promise<void> {
    const { clock, broker } = this;
    const device = createDevice({ name, clock, broker, engines, ...(disk && { disk }) });
    this.devices.push(device);
    await device.agent.start();
  }

  async restartDevice(index: number, downtimeMs: number): Promise<void> {
    const [dead] = this.devices.splice(index, 1);
    dead!.kill();
    await this.clock.advance(downtimeMs);
    await this.startDevice(dead!.id, dead!.disk);
  }

  of<Type extends ServerFact["type"]>(type: Type): Extract<ServerFact, { type: Type }>[] {
    return this.facts.filter((fact) => fact.type === type) as never;
  }

  async finish(): Promise<void> {
    await this.clock.until(() => this.of("finished").length > 0, 24 * 3_600_000);
  }

  foldedIds(): UpdateId[] {
    return this.of("round-closed").flatMap(({ folded }) => folded.map(({ updateId }) => updateId));
  }
}

async function startFederation(): Promise<Federation> {
  const federation = new Federation();
  await federation.start();
  return federation;
}

/** Delay, loss, doubling and overtaking, from a seed. */
function badNetwork(seed: string): FaultModel {
  const random = randomStream(seed, "network");
  return {
    fate: () => {
      const luck = random.uniform();
      const copies = luck < 0.05 ? 0 : luck < 0.1 ? 2 : 1;
      return { delayMs: 1 + random.integer(200), copies, overtakes: random.uniform() < 0.2 };
    },
  };
}

test("a fleet learns: rounds complete, versions are promoted and served, and predictions come near the truth", async () => {
  const federation = await startFederation();
  const { clock, devices } = federation;
  await federation.finish();
  const completed = federation.of("round-closed").filter(({ outcome }) => outcome === "completed");
  expect(completed.filter(({ kind }) => kind === "fit")).toHaveLength(1);
  expect(completed.filter(({ kind }) => kind === "train")).toHaveLength(ROUNDS);
  expect(completed.every(({ folded }) => folded.length === NAMES.length)).toBe(true);
  const [finished] = federation.of("finished");
  const stable = federation.of("version-published").filter(({ line }) => line === "stable");
  const newest = stable.at(-1)!.manifest.version;
  expect(finished).toMatchObject({ reason: "max-rounds" });
  await clock.until(() => devices.every((pump) => pump.agent.status().serving === newest));
  const model = await federation.server?.model(newest);
  expect(model?.params).toHaveLength(3);

  const fresh = linearReadings("fresh", 50, Date.UTC(2026, 0, 2));
  for (const pump of devices) {
    const before = pump.of("prediction").length;
    await pump.agent.ingest(fresh.map((reading) => ({ ...reading, entity: pump.id })));
    const predictions = pump.of("prediction").slice(before);
    expect(predictions).toHaveLength(50);
    const errors = predictions.map(({ value }, i) => value - Number(fresh[i]!.values.y));
    const rmse = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
    // The noise is 0.1; the label's spread is about 6.7, which is what a constant predictor would miss by.
    expect(rmse).toBeLessThan(0.5);
    expect(predictions.every(({ version }) => version === newest)).toBe(true);
  }
});

test("every update that a device was told is accepted has been folded exactly once", async () => {
  const federation = await startFederation();
  await federation.finish();
  await federation.clock.advance(60_000);
  const folded = federation.foldedIds();
  const accepted = federation.devices.flatMap((pump) =>
    pump.of("receipt").flatMap(({ status, updateId }) => (status === "accepted" ? [updateId] : [])),
  );
  expect(new Set(folded).size).toBe(folded.length);
  expect(folded.toSorted()).toEqual(accepted.toSorted());
  for (const { agent } of federation.devices) expect(agent.status().pending).toEqual([]);
});

test.each(["1", "2", "3", "4", "5"])(
  "on a bad network, with parties dying on the way, the rounds still complete (seed %s)",
  async (seed) => {
    const federation = new Federation(badNetwork(seed));
    await federation.start();
    const { clock } = federation;
    const random = randomStream(seed, "deaths");
    for (let deaths = 0; deaths < 4; deaths++) {
      await clock.advance(random.integer(3000));
      if (random.integer(2) === 0) await federation.restartServer(random.integer(60_000));
      else await federation.restartDevice(random.integer(NAMES.length), random.integer(60_000));
    }
    await federation.finish();
    const completed = federation
      .of("round-closed")
      .filter(({ kind, outcome }) => kind === "train" && outcome === "completed");
    expect(completed).toHaveLength(ROUNDS);
    const folded = federation.foldedIds();
    expect(new Set(folded).size).toBe(folded.length);
    // What was left in an outbox gets its word in the end.
    await clock.advance(3_600_000);
    for (const { agent } of federation.devices) expect(agent.status().pending).toEqual([]);
  },
);
