// A whole device against a scripted server: what it says, what it keeps, what it believes.

import { beforeEach, describe, expect, test } from "vitest";
import type { UpdateId } from "../../shared/id.js";
import { createMemoryBroker, type MemoryBroker } from "../../shared/transport/memory.js";
import { type BenchDevice, createDevice, createDisk } from "../support/device-kit.js";
import { linearReadings, linearTask } from "../support/linear-task.js";
import { ManualClock } from "../support/manual-clock.js";
import { ScriptedServer } from "../support/scripted-server.js";
import { testEngines } from "../support/test-engines.js";

const engines = testEngines();
let clock: ManualClock;
let broker: MemoryBroker;
let server: ScriptedServer;

beforeEach(async () => {
  clock = new ManualClock();
  broker = createMemoryBroker({ clock });
  server = new ScriptedServer(broker, linearTask());
  await server.retainTask();
});

function device(options: Partial<Parameters<typeof createDevice>[0]> = {}): BenchDevice {
  return createDevice({ name: "pump-1", clock, broker, engines, ...options });
}

/** A device that has adopted the task, has examples and has said hello. */
async function readyDevice(options: Partial<Parameters<typeof createDevice>[0]> = {}): Promise<BenchDevice> {
  const pump = device(options);
  await pump.agent.start();
  await clock.until(() => pump.of("task-adopted").length > 0);
  await pump.agent.ingest(linearReadings("pump-1", 100));
  await clock.until(() => server.of("hello").some(({ eligible }) => eligible));
  return pump;
}

/** What a second process on the same disk is, after the first one died. */
async function restarted(pump: BenchDevice): Promise<BenchDevice> {
  pump.kill();
  const next = device({ disk: pump.disk });
  await next.agent.start();
  return next;
}

describe("a round", () => {
  test("ends in an update that the server has whole, and in an empty outbox", async () => {
    const pump = await readyDevice();
    const manifest = await server.version(1, engines.runtime);
    server.offer(pump.id, { round: 2, kind: "train", manifest });
    await clock.until(() => pump.of("receipt").length > 0);
    expect(pump.of("receipt")).toMatchObject([{ round: 2, status: "accepted" }]);
    expect(server.judged).toMatchObject([{ ok: true, header: { round: 2, baseVersion: 1, kind: "train" } }]);
    expect(pump.agent.status()).toMatchObject({ pending: [], round: undefined });
    await clock.until(() => server.of("hello").at(-1)?.pending === null);
  });

  test("of kind fit brings the statistics of the train examples, unscaled", async () => {
    const pump = await readyDevice();
    server.offer(pump.id, { round: 1, kind: "fit", manifest: null });
    await clock.until(() => pump.of("receipt").length > 0);
    const { labels } = await pump.agent.examples("train");
    const mean = labels.reduce((sum, label) => sum + label, 0) / labels.length;
    const [update] = server.judged;
    expect(update).toMatchObject({ ok: true, header: { kind: "fit", examples: labels.length } });
    if (update?.ok) expect(update.header.fit?.mean[2]).toBeCloseTo(mean, 5);
  });

  test("of kind evaluate scores the validation examples in the label's own unit", async () => {
    const pump = await readyDevice();
    const manifest = await server.version(1, engines.runtime, { params: new Float32Array(3) });
    server.offer(pump.id, { round: 3, kind: "evaluate", manifest });
    await clock.until(() => pump.of("receipt").length > 0);
    const { labels, rows } = await pump.agent.examples("validation");
    const squares = labels.reduce((sum, label) => sum + label ** 2, 0);
    const [update] = server.judged;
    expect(update).toMatchObject({ ok: true, header: { kind: "evaluate", evaluate: { rows } } });
    if (update?.ok) expect(update.header.evaluate?.squaredError).toBeCloseTo(squares, 1);
  });

  test("offered again while at work is worked on once", async () => {
    const pump = await readyDevice();
    const manifest = await server.version(1, engines.runtime);
    for (let i = 0; i < 3; i++) server.offer(pump.id, { round: 2, kind: "train", manifest });
    await clock.until(() => pump.of("receipt").length > 0);
    await clock.advance(200_000);
    expect(pump.of("training")).toHaveLength(1);
    expect(server.judged).toHaveLength(1);
  });

  test("that is newer ends the work on an older one", async () => {
    const pump = await readyDevice();
    const manifest = await server.version(1, engines.runtime);
    const unknown = { ...(await server.version(2, engines.runtime)) };
    server.onGet = ({ sha256 }) => sha256 !== unknown.sha256;
    server.offer(pump.id, { round: 2, kind: "train", manifest: unknown });
    await clock.until(() => server.of("get").length > 0);
    server.offer(pump.id, { round: 3, kind: "train", manifest });
    await clock.until(() => pump.of("receipt").length > 0);
    expect(pump.of("abandoned")).toMatchObject([{ round: 2, reason: "superseded" }]);
    expect(pump.of("receipt")).toMatchObject([{ round: 3 }]);
  });

  test("without an end is abandoned at its deadline, and the device asks again", async () => {
    const pump = await readyDevice();
    const manifest = await server.version(1, engines.runtime);
    server.onGet = () => false;
    server.offer(pump.id, { round: 2, kind: "train", manifest, remainingMs: 30_000 });
    await clock.until(() => pump.of("abandoned").length > 0);
    const hellos = server.of("hello").length;
    expect(pump.of("abandoned")).toEqual([{ type: "abandoned", round: 2, reason: "deadline" }]);
    await clock.until(() => server.of("hello").length > hellos, 1000);
  });

  test("whose base the server no longer has is abandoned", async () => {
    const pump = await readyDevice();
    const manifest = await server.version(1, engines.runtime);
    server.setBlob(manifest.sha256, undefined);
    server.offer(pump.id, { round: 2, kind: "train", manifest });
    await clock.until(() => pump.of("abandoned").length > 0);
    expect(pump.of("abandoned")).toMatchObject([{ round: 2, reason: "base-refused" }]);
  });
});

describe("a device declines", () => {
  const reasons = () => server.of("decline").map(({ reason }) => reason);

  test("without examples, and calls as soon as it has enough", async () => {
    const pump = device();
    await pump.agent.start();
    await clock.until(() => server.of("hello").length > 0);
    expect(server.of("hello")).toMatchObject([{ eligible: false, examples: { train: 0 } }]);
    const manifest = await server.version(1, engines.runtime);
    server.offer(pump.id, { round: 2, kind: "train", manifest });
    await clock.until(() => server.of("decline").length > 0);
    expect(reasons()).toEqual(["0 train examples, the task asks for 10"]);
    await pump.agent.ingest(linearReadings("pump-1", 100));
    await clock.until(() => server.of("hello").at(-1)?.eligible === true, 1000);
  });

  test("when its owner says so", async () => {
    const pump = device({ agent: { mayTrain: () => "on battery" } });
    await pump.agent.start();
    await clock.until(() => pump.of("task-adopted").length > 0);
    await pump.agent.ingest(linearReadings("pump-1", 100));
    server.offer(pump.id, { round: 1, kind: "fit", manifest: null });
    await clock.until(() => server.of("decline").length > 0);
    expect(reasons()).toEqual(["on battery"]);
  });

  test("a training that diverged: nothing that is not finite is sent", async () => {
    const pump = await readyDevice();
    const params = new Float32Array(3).fill(1e30);
    const manifest = await server.version(1, engines.runtime, { params });
    server.offer(pump.id, { round: 2, kind: "train", manifest });
    await clock.until(() => server.of("decline").length > 0);
    expect(reasons()).toEqual(["diverged"]);
    expect(server.of("begin")).toEqual([]);
  });

  test("a base for another task", async () => {
    const pump = await readyDevice();
    const manifest = await server.version(1, engines.runtime, { modelSignature: "0".repeat(64) });
    server.offer(pump.id, { round: 2, kind: "train", manifest });
    await clock.until(() => server.of("decline").length > 0);
    expect(reasons()).toEqual(["base: wrong-task"]);
  });

  test("when its disk is full, and what it serves stays", async () => {
    const pump = await readyDevice({ disk: createDisk({ state: 20 }) });
    await server.retainStable(await server.version(1, engines.runtime));
    await clock.until(() => pump.of("serving").length > 0);
    fillDisk(pump);
    server.offer(pump.id, { round: 1, kind: "fit", manifest: null });
    await clock.until(() => server.of("decline").length > 0);
    expect(reasons()).toEqual(["storage-full"]);
    await server.retainStable(await server.version(2, engines.runtime));
    await clock.until(() => pump.agent.counters.get("models.not-stored.storage-full") > 0);
    expect(pump.agent.status().serving).toBe(1);
  });
});

/** Leaves no room in `state.db` for one more row of any size. */
function fillDisk({ disk }: BenchDevice): void {
  for (const bytes of [4000, 400, 40, 1]) {
    try {
      for (let i = 0; i < 1000; i++) {
        const name = `filler ${bytes} ${i}`;
        disk.state.run(`INSERT INTO blob VALUES (?, ?)`, name, new Uint8Array(bytes));
        disk.state.run(
          `INSERT INTO outbox (update_id, round, kind, base_version, sha256, examples, chunk_bytes, frame)
           VALUES (?, 0, 'fit', 0, '', 0, 1024, ?)`,
          name,
          new Uint8Array(bytes),
        );
      }
    } catch {
      // Full at this size.
    }
  }
}

describe("an update", () => {
  test("whose receipt is lost is asked after until the word comes", async () => {
    const pump = await readyDevice();
    server.judge = () => undefined;
    server.offer(pump.id, { round: 1, kind: "fit", manifest: null });
    await clock.until(() => server.of("commit").length > 0);
    expect(pump.agent.status().pending).toHaveLength(1);
    server.judge = () => ({ status: "rejected", reason: "round-closed" });
    await clock.until(() => pump.of("receipt").length > 0);
    expect(pump.of("receipt")).toMatchObject([{ status: "rejected", reason: "round-closed" }]);
    expect(new Set(server.of("begin").map(({ updateId }) => updateId)).size).toBe(1);
    expect(pump.agent.status().pending).toEqual([]);
  });

  test("survives the device's death and is sent by its next life", async () => {
    const pump = await readyDevice();
    server.judge = () => undefined;
    server.offer(pump.id, { round: 1, kind: "fit", manifest: null });
    await clock.until(() => server.of("begin").length > 0);
    const [pending] = pump.agent.status().pending;
    const next = await restarted(pump);
    expect(next.agent.status().pending).toEqual([pending]);
    server.judge = () => ({ status: "accepted", reason: null });
    await clock.until(() => next.of("receipt").length > 0);
    expect(next.of("receipt")).toMatchObject([{ updateId: pending, round: 1, status: "accepted" }]);
    expect(next.of("training")).toEqual([]);
  });

  test("gets through although the server dies in the middle of it", async () => {
    const pump = await readyDevice();
    const manifest = await server.version(1, engines.runtime);
    server.offer(pump.id, { round: 2, kind: "train", manifest });
    await clock.until(() => server.of("begin").length > 0);
    server.kill();
    await clock.advance(60_000);
    server.restart();
    await clock.until(() => pump.of("receipt").length > 0, 600_000);
    expect(pump.of("receipt")).toMatchObject([{ round: 2, status: "accepted" }]);
  });

  test("gets through although the connection ends in the middle of it", async () => {
    const pump = await readyDevice();
    const manifest = await server.version(1, engines.runtime);
    server.offer(pump.id, { round: 2, kind: "train", manifest });
    await clock.until(() => server.of("begin").length > 0);
    broker.disconnect(pump.id, { abrupt: true });
    await clock.until(() => pump.of("receipt").length > 0);
    expect(pump.of("training")).toHaveLength(1);
  });
});

describe("the served model", () => {
  const serving = (pump: BenchDevice) => pump.of("serving").map(({ version }) => version);

  test("predicts every new row, each with the version served at that moment", async () => {
    const pump = await readyDevice();
    const params = Float32Array.of(1, 10, 100);
    const scaler = { offset: [0, 0], factor: [1, 1], label: { offset: 5, factor: 0.5 } };
    await server.retainStable(await server.version(1, engines.runtime, { params, scaler }));
    await clock.until(() => pump.of("serving").length > 0);
    await pump.agent.ingest(linearReadings("pump-1", 102, Date.UTC(2026, 0, 2)));
    await server.retainStable(await server.version(2, engines.runtime));
    await clock.until(() => pump.of("serving").length > 1);
    await pump.agent.ingest(linearReadings("pump-1", 50, Date.UTC(2026, 0, 3)));
    const predictions = pump.of("prediction");
    expect(predictions.slice(0, 102).every(({ version }) => version === 1)).toBe(true);
    expect(predictions.slice(102).every(({ version }) => version === 2)).toBe(true);
    const { a, b } = linearReadings("pump-1", 1)[0]!.values;
    expect(predictions[0]?.value).toBeCloseTo((Number(a) + 10 * Number(b) + 100) / 0.5 + 5, 2);
    expect(pump.agent.predictions({ limit: 1 }).predictions[0]).toMatchObject({
      version: 2,
      entity: "pump-1",
    });
  });

  test("is never replaced by an older, expired, unfitting or broken one", async () => {
    const pump = await readyDevice();
    const good = await server.version(5, engines.runtime);
    await server.retainStable(good);
    await clock.until(() => pump.of("serving").length > 0);
    await server.retainStable(await server.version(4, engines.runtime));
    await server.retainStable(await server.version(6, engines.runtime, { expiresMs: clock.now() }));
    await clock.advance(1000);
    const modelSignature = "0".repeat(64);
    await server.retainStable(await server.version(7, engines.runtime, { modelSignature }));
    await clock.advance(1000);
    const params = new Float32Array(3).fill(Number.NaN);
    await server.retainStable(await server.version(8, engines.runtime, { params }));
    await clock.advance(1000);
    const huge = new Float32Array(3).fill(3e38);
    await server.retainStable(await server.version(9, engines.runtime, { params: huge }));
    await clock.advance(1000);
    expect(serving(pump)).toEqual([5]);
    expect(pump.of("model-rejected").map(({ version, reason }) => [version, reason])).toEqual([
      [6, "expired"],
      [7, "wrong-task"],
      [8, "not-finite"],
      [9, "self-check"],
    ]);
  });

  test("is fetched again when its blob arrives corrupt", async () => {
    const pump = await readyDevice();
    const manifest = await server.version(1, engines.runtime);
    const blob = server.blob(manifest.sha256)!;
    server.setBlob(manifest.sha256, new Uint8Array(blob.length));
    await server.retainStable(manifest);
    await clock.until(() => pump.agent.counters.get("downloads.corrupt") > 0);
    server.setBlob(manifest.sha256, blob);
    await clock.until(() => serving(pump).length > 0);
    expect(serving(pump)).toEqual([1]);
  });

  test("serves from disk before there is a network", async () => {
    const pump = await readyDevice();
    await server.retainStable(await server.version(3, engines.runtime));
    await clock.until(() => pump.of("serving").length > 0);
    pump.kill();
    const offline = device({ disk: pump.disk, broker: createMemoryBroker({ clock }) });
    await offline.agent.start();
    await offline.agent.ingest(linearReadings("pump-1", 10, Date.UTC(2026, 0, 2)));
    expect(serving(offline)).toEqual([3]);
    expect(offline.of("prediction")).toHaveLength(10);
    expect(offline.agent.status().isConnected).toBe(false);
  });

  test("gives way to the one before when it no longer reads from disk", async () => {
    const pump = await readyDevice();
    for (const version of [1, 2]) {
      await server.retainStable(await server.version(version, engines.runtime));
      await clock.until(() => pump.of("serving").length === version);
    }
    const broken = `UPDATE blob SET content = x'00' WHERE sha256 = (SELECT sha256 FROM model WHERE role = 'stable')`;
    pump.disk.state.run(broken);
    pump.kill();
    const next = device({ disk: pump.disk, broker: createMemoryBroker({ clock }) });
    await next.agent.start();
    expect(serving(next)).toEqual([1]);
  });
});

describe("a device believes nothing", () => {
  test("that is garbled", async () => {
    const pump = await readyDevice();
    const kinds = ["offer", "wait", "missing", "receipt", "block", "refusal"] as const;
    for (const kind of kinds) server.sendBytes(pump.id, kind, Uint8Array.of(0x93, 1, 2));
    await clock.advance(1000);
    expect(pump.agent.counters.get("messages.malformed")).toBe(kinds.length);
  });

  test("that another key has signed: task, manifest, offer, receipt", async () => {
    const pump = await readyDevice();
    server.judge = () => undefined;
    server.offer(pump.id, { round: 1, kind: "fit", manifest: null });
    await clock.until(() => server.of("commit").length > 0);
    const [pending] = pump.agent.status().pending;
    const signature = new Uint8Array(64);
    const other = linearTask({ rounds: "max: 7" });
    await server.retainTask({ ...server.signedTask(other), signature });
    const manifest = { ...(await server.version(1, engines.runtime)), signature };
    await server.retainStable(manifest);
    server.offer(pump.id, { round: 9, kind: "train", manifest });
    const word = { status: "accepted", reason: null } as const;
    const receipt = server.receipt(pump.id, { updateId: pending!, round: 1 }, word);
    server.send(pump.id, "receipt", { ...receipt, signature });
    await clock.advance(1000);
    expect(pump.agent.counters.toJSON()).toMatchObject({
      "messages.bad-signature": 3,
      "messages.task-bad-signature": 1,
    });
    expect(pump.agent.status()).toMatchObject({ pending: [pending], round: undefined, serving: undefined });
    expect(pump.agent.status().taskHash).toBe(linearTask().taskHash);
  });

  test("about an update it does not have", async () => {
    const pump = await readyDevice();
    const word = { status: "accepted", reason: null } as const;
    const receipt = server.receipt(pump.id, { updateId: "unknown" as UpdateId, round: 1 }, word);
    server.send(pump.id, "receipt", receipt);
    await clock.advance(1000);
    expect(pump.agent.counters.get("messages.unknown-update")).toBe(1);
    expect(pump.of("receipt")).toEqual([]);
  });
});

describe("another task", () => {
  test("with other columns clears examples and model, and ends the work on the old one", async () => {
    const pump = await readyDevice();
    await server.retainStable(await server.version(1, engines.runtime));
    await clock.until(() => pump.of("serving").length > 0);
    server.onGet = () => false;
    server.offer(pump.id, { round: 2, kind: "train", manifest: await server.version(2, engines.runtime) });
    await clock.until(() => server.of("get").length > 1);
    await server.retainTask(server.signedTask(linearTask({ scale: "none" })));
    await clock.until(() => pump.of("task-adopted").length > 1);
    await clock.advance(1000);
    expect(pump.of("abandoned")).toMatchObject([{ round: 2, reason: "task-changed" }]);
    expect(pump.agent.status()).toMatchObject({ serving: undefined, examples: { train: 0, validation: 0 } });
    expect(pump.agent.counters.get("examples.other-task")).toBe(100);
  });

  test("with the same columns keeps examples and model", async () => {
    const pump = await readyDevice();
    await server.retainStable(await server.version(1, engines.runtime));
    await clock.until(() => pump.of("serving").length > 0);
    const { examples } = pump.agent.status();
    await server.retainTask(server.signedTask(linearTask({ rounds: "max: 7" })));
    await clock.until(() => pump.of("task-adopted").length > 1);
    expect(pump.agent.status()).toMatchObject({ serving: 1, examples });
  });
});

describe("readings", () => {
  test("before a task are dropped and counted", async () => {
    const pump = device();
    await pump.agent.ingest(linearReadings("pump-1", 7));
    expect(pump.agent.counters.get("readings.no-task")).toBe(7);
  });

  test("are on disk once the device has stopped", async () => {
    const pump = await readyDevice();
    const stopped = pump.agent.stop();
    await clock.advance(1000);
    await stopped;
    expect(pump.disk.telemetry.get(`SELECT count(*) AS rows FROM example`)).toEqual({ rows: 100 });
  });

  test("of an idle source ripen by the clock alone", async () => {
    const loaded = linearTask({ disorder: "1m" });
    await server.retainTask(server.signedTask(loaded));
    const pump = device({ agent: { eventNow: () => clock.now() } });
    await pump.agent.start();
    await clock.until(() => pump.of("task-adopted").length > 0);
    await pump.agent.ingest(linearReadings("pump-1", 3, clock.now()));
    expect(pump.agent.status().examples).toEqual({ train: 0, validation: 0, test: 0 });
    await clock.advance(90_000);
    const { train = 0, validation = 0 } = pump.agent.status().examples ?? {};
    expect(train + validation).toBe(3);
  });
});
