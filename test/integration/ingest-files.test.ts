// Updates through the real broker into files, judged on the verify thread, across restarts of the server.

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { VerifyThread } from "../../server/ingest/verify-thread.js";
import { createServer, type Server } from "../../server/server.js";
import { serverMigrations } from "../../server/storage.js";
import { systemClock } from "../../shared/clock.js";
import { silentLogger } from "../../shared/log.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../shared/model/tfjs.js";
import type { Database } from "../../shared/storage/port.js";
import { openSqlite } from "../../shared/storage/sqlite.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import { parseTask } from "../../shared/task/parse.js";
import { splitChunks } from "../../shared/wire/chunk.js";
import {
  type DownMessage,
  decodeMessage,
  downSchemas,
  encodeMessage,
  type Offer,
  type Receipt,
  type UpMessage,
} from "../../shared/wire/message.js";
import { keysFromSeed, signUpdate } from "../../shared/wire/signature.js";
import { type DownKind, deviceSubscriptions, topics, type UpKind } from "../../shared/wire/topic.js";
import { updateIdOf } from "../../shared/wire/update.js";
import { encodeUpdate } from "../../shared/wire/update-frame.js";
import { type BrokerLab, device, startBrokerLab } from "../support/broker-lab.js";
import { RawMqtt } from "../support/raw-mqtt.js";
import { tempFolder } from "../support/temp-folder.js";
import { until } from "../support/until.js";

/** 20,001 params: an update takes three chunks. */
const task = parseTask(`task: t
sources: { air: {} }
features: { from: air, list: [{ copy: [a, b] }], scale: none }
label: { field: a }
model: { dense: [5000] }
rounds: { cohort: 2, quorum: 100%, deadline: 1h, max: 1 }
evaluate: { every: 9 }
`);
const TASK = task.task.task;
const PARAMS = 20_001;
const CHUNK_BYTES = 32 * 1024;

const temp = tempFolder();
let runtime: ModelRuntime;
let lab: BrokerLab;
let thread: VerifyThread;
let folder: string;
let server: Server;
let database: Database;
const devices: Device[] = [];

beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
});
afterAll(() => runtime.dispose());
beforeEach(async () => {
  lab = await startBrokerLab();
  thread = VerifyThread.start();
  folder = mkdtempSync(join(temp.path, "server-"));
  await startServer();
});
afterEach(async () => {
  for (const each of devices.splice(0)) each.client.destroy();
  await server.stop();
  await lab.broker.close();
  await thread.close();
  database.close();
});

async function startServer(): Promise<void> {
  database = openSqlite({
    path: join(folder, "server.db"),
    durability: "full",
    migrations: serverMigrations,
  });
  server = await createServer({
    ...{ task, database, runtime, clock: systemClock, seed: "test", logger: silentLogger },
    stagingFolder: join(folder, "staging"),
    verifyThread: thread,
    uplink: lab.broker.uplink(TASK),
    keys: keysFromSeed(new Uint8Array(32).fill(9)),
    devices: { publicKey: (id) => keysOf(id).publicKey },
  });
  await server.start();
}

/** For database and files it is as if the process had died: nothing is written on the way out. */
async function restartServer(): Promise<void> {
  await server.stop();
  database.close();
  await startServer();
}

async function connect(name: string): Promise<Device> {
  const client = await RawMqtt.connect(lab.tcp, name);
  await client.subscribe(...deviceSubscriptions(TASK, device(name)));
  const connected = new Device(name, client);
  devices.push(connected);
  return connected;
}

test("updates are accepted, folded and deleted", async () => {
  const [a, b] = await pair();
  const before = (await server.model(1))!;
  expect(await a.upload(await a.update(0.25))).toMatchObject({ status: "accepted" });
  expect(await b.upload(await b.update(0.75))).toMatchObject({ status: "accepted" });
  await until(() => server.status().head === 2);
  const after = (await server.model(2))!;
  expect(after.params.length).toBe(PARAMS);
  after.params.forEach((value, at) => {
    if (Math.abs(value - before.params[at]! - 0.5) > 1e-6) throw new Error(`param ${at} moved to ${value}`);
  });
  expect(database.all("SELECT * FROM uploads")).toEqual([]);
});

test("an accepted update is folded after a restart, and half an upload goes on with what is missing", async () => {
  const [a, b] = await pair();
  await a.upload(await a.update(0.25));
  const half = await b.update(0.75);
  const missing = await b.begin(half);
  await b.sendChunk(half, missing.ranges, 0);
  await restartServer();
  await b.hello();
  // Acknowledged, but not on the disk yet: a power cut could have taken it, so it is asked for again.
  expect((await b.begin(half)).ranges).toEqual([[0, half.frame.length]]);
  expect(await b.upload(half)).toMatchObject({ status: "accepted", duplicate: false });
  await until(() => server.status().head === 2);
  expect(server.counters.toJSON()).not.toHaveProperty("update-rejected.bad-checksum");
});

describe("the verify thread", () => {
  test("refuses what it is to refuse, with the reason", async () => {
    const [a] = await pair();
    const offer = a.offer!;
    const reasons: unknown[] = [];
    const liar = await a.update(0.25);
    const forged = { ...liar, signature: new Uint8Array(64) };
    reasons.push((await a.upload(forged)).reason);
    a.offer = offer;
    reasons.push((await a.upload(await a.update(Number.NaN))).reason);
    expect(reasons).toEqual(["bad-signature", "not-finite"]);
  });

  test("answers that a file is not there, and judges on", async () => {
    const [a] = await pair();
    const update = await a.update(0.25);
    const { ranges } = await a.begin(update);
    for (let i = 0; i < 3; i++) await a.sendChunk(update, ranges, i);
    rmSync(join(folder, "staging"), { recursive: true });
    await expect(a.send("commit", a.commitOf(update))).rejects.toThrow("without puback");
    expect(server.counters.get("dropped.storage-failed")).toBe(1);
  });

  test("rejects what it has not answered when it is closed", async () => {
    const closed = VerifyThread.start();
    const job = { path: "nowhere" } as Parameters<VerifyThread["verify"]>[0];
    const sender = { signature: new Uint8Array(64) };
    const asked = expect(closed.verify({ ...job, sender } as typeof job)).rejects;
    const answered = asked.toMatchObject({ code: "aborted" });
    await closed.close();
    await answered;
    await expect(closed.verify({ ...job, sender } as typeof job)).rejects.toMatchObject({ code: "aborted" });
  });
});

/** Two devices that have been offered the first round. */
async function pair(): Promise<[Device, Device]> {
  const [a, b] = [await connect("a"), await connect("b")];
  await a.send("hello", helloMessage);
  await b.hello();
  a.offer = await a.next("offer");
  return [a, b];
}

interface Update {
  readonly frame: Uint8Array;
  readonly begin: UpMessage<"begin">;
  readonly signature: Uint8Array;
}

const helloMessage: UpMessage<"hello"> = {
  ...{ v: 1, taskHash: task.taskHash, stable: null, eligible: true, reason: null, pending: null, labels: {} },
  examples: { train: 10, validation: 0 },
};

/** A device that speaks the protocol by hand. */
class Device {
  readonly id;
  readonly client: RawMqtt;
  offer: Offer | undefined;

  constructor(name: string, client: RawMqtt) {
    this.id = device(name);
    this.client = client;
  }

  send<Kind extends UpKind>(kind: Kind, message: UpMessage<Kind>): Promise<void> {
    return this.client.publish(topics.up(TASK, this.id, kind), encodeMessage(message as UpMessage));
  }

  async next<Kind extends DownKind>(kind: Kind): Promise<DownMessage<Kind>> {
    const topic = topics.down(TASK, this.id, kind);
    const { payload } = await this.client.next("publish", (packet) => packet.topic === topic);
    return decodeMessage(downSchemas[kind], payload as Buffer) as DownMessage<Kind>;
  }

  /** Says hello and takes the offer. */
  async hello(): Promise<void> {
    await this.send("hello", helloMessage);
    this.offer = await this.next("offer");
  }

  async update(step: number): Promise<Update> {
    const { round, manifest } = this.offer!;
    const { version: baseVersion, modelSignature, fingerprint } = manifest!;
    const frame = encodeUpdate(
      {
        ...{ task: TASK, device: this.id, round, kind: "train", baseVersion, modelSignature, examples: 10 },
        ...{ evaluate: null, fit: null },
        train: { codec: "float32", count: PARAMS, fingerprint, steps: 1, loss: 0.5 },
      },
      new Float32Array(PARAMS).fill(step),
    );
    const sha256 = sha256Hex(frame);
    const updateId = updateIdOf({ task: TASK, device: this.id, round, sha256 });
    const claim = { task: TASK, device: this.id, round, updateId, sha256 };
    return {
      frame,
      begin: { v: 1, updateId, round, kind: "train", baseVersion, bytes: frame.length, sha256, examples: 10 },
      signature: signUpdate(keysOf(this.id).privateKey, claim),
    };
  }

  async begin({ begin }: Update): Promise<DownMessage<"missing">> {
    await this.send("begin", begin);
    return this.next("missing");
  }

  async sendChunk(
    { frame, begin }: Update,
    ranges: DownMessage<"missing">["ranges"],
    at: number,
  ): Promise<void> {
    const [offset, length] = splitChunks(frame.length, CHUNK_BYTES, ranges)[at]!;
    const data = frame.subarray(offset, offset + length);
    await this.send("chunk", { v: 1, updateId: begin.updateId, offset, data });
  }

  commitOf({ begin: { updateId, round, sha256 }, signature }: Update): UpMessage<"commit"> {
    return { v: 1, updateId, round, sha256, signature };
  }

  /** Begins, sends what is missing, commits; resolves to the receipt. */
  async upload(update: Update): Promise<Receipt> {
    const { ranges } = await this.begin(update);
    const chunks = splitChunks(update.frame.length, CHUNK_BYTES, ranges).length;
    await Promise.all(Array.from({ length: chunks }, (_, at) => this.sendChunk(update, ranges, at)));
    await this.send("commit", this.commitOf(update));
    return this.next("receipt");
  }
}

function keysOf(id: string) {
  return keysFromSeed(createHash("sha256").update(id).digest());
}
