// A whole device against a scripted server: what it says, what it keeps, what it believes.

import { beforeEach, describe, expect, test } from "vitest";
import type { UpdateId } from "../../shared/id.js";
import { type BenchDevice, createDisk } from "../support/device-kit.js";
import { deviceLab } from "../support/device-lab.js";
import { linearReadings, linearTask } from "../support/linear-task.js";

const lab = deviceLab();

beforeEach(() => lab.server.retainTask());

/** What a second process on the same disk is, after the first one died. */
async function restarted(pump: BenchDevice): Promise<BenchDevice> {
  pump.kill();
  const next = lab.device({ disk: pump.disk });
  await next.agent.start();
  return next;
}

describe("a round", () => {
  test("ends in an update that the server has whole, and in an empty outbox", async () => {
    const pump = await lab.ready();
    const manifest = await lab.version(1);
    lab.server.offer(pump.id, { round: 2, kind: "train", manifest });
    await lab.clock.until(() => pump.of("receipt").length > 0);
    expect(pump.of("receipt")).toMatchObject([{ round: 2, status: "accepted" }]);
    expect(lab.server.judged).toMatchObject([
      { ok: true, header: { round: 2, baseVersion: 1, kind: "train" } },
    ]);
    expect(pump.agent.status()).toMatchObject({ pending: [], round: undefined });
    await lab.clock.until(() => lab.server.of("hello").at(-1)?.pending === null);
  });

  test("of kind fit brings the statistics of the train examples, unscaled", async () => {
    const pump = await lab.ready();
    lab.server.offer(pump.id, { round: 1, kind: "fit", manifest: null });
    await lab.clock.until(() => pump.of("receipt").length > 0);
    const { labels } = await pump.agent.examples("train");
    const mean = labels.reduce((sum, label) => sum + label, 0) / labels.length;
    const [update] = lab.server.judged;
    expect(update).toMatchObject({ ok: true, header: { kind: "fit", examples: labels.length } });
    if (update?.ok) expect(update.header.fit?.mean[2]).toBeCloseTo(mean, 5);
  });

  test("of kind evaluate scores the validation examples in the label's own unit", async () => {
    const pump = await lab.ready();
    const manifest = await lab.version(1, { params: new Float32Array(3) });
    lab.server.offer(pump.id, { round: 3, kind: "evaluate", manifest });
    await lab.clock.until(() => pump.of("receipt").length > 0);
    const { labels, rows } = await pump.agent.examples("validation");
    const squares = labels.reduce((sum, label) => sum + label ** 2, 0);
    const [update] = lab.server.judged;
    expect(update).toMatchObject({ ok: true, header: { kind: "evaluate", evaluate: { rows } } });
    if (update?.ok) expect(update.header.evaluate?.squaredError).toBeCloseTo(squares, 1);
  });

  test("offered again while at work is worked on once", async () => {
    const pump = await lab.ready();
    const manifest = await lab.version(1);
    for (let i = 0; i < 3; i++) lab.server.offer(pump.id, { round: 2, kind: "train", manifest });
    await lab.clock.until(() => pump.of("receipt").length > 0);
    await lab.clock.advance(200_000);
    expect(pump.of("training")).toHaveLength(1);
    expect(lab.server.judged).toHaveLength(1);
  });

  test("that is newer ends the work on an older one", async () => {
    const pump = await lab.ready();
    const manifest = await lab.version(1);
    const unknown = { ...(await lab.version(2)) };
    lab.server.onGet = ({ sha256 }) => sha256 !== unknown.sha256;
    lab.server.offer(pump.id, { round: 2, kind: "train", manifest: unknown });
    await lab.clock.until(() => lab.server.of("get").length > 0);
    lab.server.offer(pump.id, { round: 3, kind: "train", manifest });
    await lab.clock.until(() => pump.of("receipt").length > 0);
    expect(pump.of("abandoned")).toMatchObject([{ round: 2, reason: "superseded" }]);
    expect(pump.of("receipt")).toMatchObject([{ round: 3 }]);
  });

  test("without an end is abandoned at its deadline, and the device asks again", async () => {
    const pump = await lab.ready();
    const manifest = await lab.version(1);
    lab.server.onGet = () => false;
    lab.server.offer(pump.id, { round: 2, kind: "train", manifest, remainingMs: 30_000 });
    await lab.clock.until(() => pump.of("abandoned").length > 0);
    const hellos = lab.server.of("hello").length;
    expect(pump.of("abandoned")).toEqual([{ type: "abandoned", round: 2, reason: "deadline" }]);
    await lab.clock.until(() => lab.server.of("hello").length > hellos, 1000);
  });

  test("whose base the server no longer has is abandoned", async () => {
    const pump = await lab.ready();
    const manifest = await lab.version(1);
    lab.server.setBlob(manifest.sha256, undefined);
    lab.server.offer(pump.id, { round: 2, kind: "train", manifest });
    await lab.clock.until(() => pump.of("abandoned").length > 0);
    expect(pump.of("abandoned")).toMatchObject([{ round: 2, reason: "base-refused" }]);
  });
});

describe("a device declines", () => {
  const reasons = () => lab.server.of("decline").map(({ reason }) => reason);

  test("without examples, and calls as soon as it has enough", async () => {
    const pump = lab.device();
    await pump.agent.start();
    await lab.clock.until(() => lab.server.of("hello").length > 0);
    expect(lab.server.of("hello")).toMatchObject([{ eligible: false, examples: { train: 0 } }]);
    const manifest = await lab.version(1);
    lab.server.offer(pump.id, { round: 2, kind: "train", manifest });
    await lab.clock.until(() => lab.server.of("decline").length > 0);
    expect(reasons()).toEqual(["0 train examples, the task asks for 10"]);
    await pump.agent.ingest(linearReadings("pump-1", 100));
    await lab.clock.until(() => lab.server.of("hello").at(-1)?.eligible === true, 1000);
  });

  test("when its owner says so", async () => {
    const pump = lab.device({ agent: { mayTrain: () => "on battery" } });
    await pump.agent.start();
    await lab.clock.until(() => pump.of("task-adopted").length > 0);
    await pump.agent.ingest(linearReadings("pump-1", 100));
    lab.server.offer(pump.id, { round: 1, kind: "fit", manifest: null });
    await lab.clock.until(() => lab.server.of("decline").length > 0);
    expect(reasons()).toEqual(["on battery"]);
  });

  test("a training that diverged: nothing that is not finite is sent", async () => {
    const pump = await lab.ready();
    const params = new Float32Array(3).fill(1e30);
    const manifest = await lab.version(1, { params });
    lab.server.offer(pump.id, { round: 2, kind: "train", manifest });
    await lab.clock.until(() => lab.server.of("decline").length > 0);
    expect(reasons()).toEqual(["diverged"]);
    expect(lab.server.of("begin")).toEqual([]);
  });

  test("a base for another task", async () => {
    const pump = await lab.ready();
    const manifest = await lab.version(1, { modelSignature: "0".repeat(64) });
    lab.server.offer(pump.id, { round: 2, kind: "train", manifest });
    await lab.clock.until(() => lab.server.of("decline").length > 0);
    expect(reasons()).toEqual(["base: wrong-task"]);
  });

  test("when its disk is full, and what it serves stays", async () => {
    const pump = await lab.ready({ disk: createDisk({ state: 20 }) });
    await lab.server.retainStable(await lab.version(1));
    await lab.clock.until(() => pump.of("serving").length > 0);
    fillDisk(pump);
    lab.server.offer(pump.id, { round: 1, kind: "fit", manifest: null });
    await lab.clock.until(() => lab.server.of("decline").length > 0);
    expect(reasons()).toEqual(["storage-full"]);
    await lab.server.retainStable(await lab.version(2));
    await lab.clock.until(() => pump.agent.counters.get("models.not-stored.storage-full") > 0);
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
    const pump = await lab.ready();
    lab.server.judge = () => undefined;
    lab.server.offer(pump.id, { round: 1, kind: "fit", manifest: null });
    await lab.clock.until(() => lab.server.of("commit").length > 0);
    expect(pump.agent.status().pending).toHaveLength(1);
    lab.server.judge = () => ({ status: "rejected", reason: "round-closed" });
    await lab.clock.until(() => pump.of("receipt").length > 0);
    expect(pump.of("receipt")).toMatchObject([{ status: "rejected", reason: "round-closed" }]);
    expect(new Set(lab.server.of("begin").map(({ updateId }) => updateId)).size).toBe(1);
    expect(pump.agent.status().pending).toEqual([]);
  });

  test("survives the device's death and is sent by its next life", async () => {
    const pump = await lab.ready();
    lab.server.judge = () => undefined;
    lab.server.offer(pump.id, { round: 1, kind: "fit", manifest: null });
    await lab.clock.until(() => lab.server.of("begin").length > 0);
    const [pending] = pump.agent.status().pending;
    const next = await restarted(pump);
    expect(next.agent.status().pending).toEqual([pending]);
    lab.server.judge = () => ({ status: "accepted", reason: null });
    await lab.clock.until(() => next.of("receipt").length > 0);
    expect(next.of("receipt")).toMatchObject([{ updateId: pending, round: 1, status: "accepted" }]);
    expect(next.of("training")).toEqual([]);
  });

  test("gets through although the server dies in the middle of it", async () => {
    const pump = await lab.ready();
    const manifest = await lab.version(1);
    lab.server.offer(pump.id, { round: 2, kind: "train", manifest });
    await lab.clock.until(() => lab.server.of("begin").length > 0);
    lab.server.kill();
    await lab.clock.advance(60_000);
    lab.server.restart();
    await lab.clock.until(() => pump.of("receipt").length > 0, 600_000);
    expect(pump.of("receipt")).toMatchObject([{ round: 2, status: "accepted" }]);
  });

  test("gets through although the connection ends in the middle of it", async () => {
    const pump = await lab.ready();
    const manifest = await lab.version(1);
    lab.server.offer(pump.id, { round: 2, kind: "train", manifest });
    await lab.clock.until(() => lab.server.of("begin").length > 0);
    lab.broker.disconnect(pump.id, { abrupt: true });
    await lab.clock.until(() => pump.of("receipt").length > 0);
    expect(pump.of("training")).toHaveLength(1);
  });
});

describe("a device believes nothing", () => {
  test("that is garbled", async () => {
    const pump = await lab.ready();
    const kinds = ["offer", "wait", "missing", "receipt", "block", "refusal"] as const;
    for (const kind of kinds) lab.server.sendBytes(pump.id, kind, Uint8Array.of(0x93, 1, 2));
    await lab.clock.advance(1000);
    expect(pump.agent.counters.get("messages.malformed")).toBe(kinds.length);
  });

  test("that another key has signed: task, manifest, offer, receipt", async () => {
    const pump = await lab.ready();
    lab.server.judge = () => undefined;
    lab.server.offer(pump.id, { round: 1, kind: "fit", manifest: null });
    await lab.clock.until(() => lab.server.of("commit").length > 0);
    const [pending] = pump.agent.status().pending;
    const signature = new Uint8Array(64);
    const other = linearTask({ rounds: "max: 7" });
    await lab.server.retainTask({ ...lab.server.signedTask(other), signature });
    const manifest = { ...(await lab.version(1)), signature };
    await lab.server.retainStable(manifest);
    lab.server.offer(pump.id, { round: 9, kind: "train", manifest });
    const word = { status: "accepted", reason: null } as const;
    const receipt = lab.server.receipt(pump.id, { updateId: pending!, round: 1 }, word);
    lab.server.send(pump.id, "receipt", { ...receipt, signature });
    await lab.clock.advance(1000);
    expect(pump.agent.counters.toJSON()).toMatchObject({
      "messages.bad-signature": 3,
      "messages.task-bad-signature": 1,
    });
    expect(pump.agent.status()).toMatchObject({ pending: [pending], round: undefined, serving: undefined });
    expect(pump.agent.status().taskHash).toBe(linearTask().taskHash);
  });

  test("about an update it does not have", async () => {
    const pump = await lab.ready();
    const word = { status: "accepted", reason: null } as const;
    const receipt = lab.server.receipt(pump.id, { updateId: "unknown" as UpdateId, round: 1 }, word);
    lab.server.send(pump.id, "receipt", receipt);
    await lab.clock.advance(1000);
    expect(pump.agent.counters.get("messages.unknown-update")).toBe(1);
    expect(pump.of("receipt")).toEqual([]);
  });
});

describe("another task", () => {
  test("with other columns clears examples and model, and ends the work on the old one", async () => {
    const pump = await lab.ready();
    await lab.server.retainStable(await lab.version(1));
    await lab.clock.until(() => pump.of("serving").length > 0);
    lab.server.onGet = () => false;
    lab.server.offer(pump.id, { round: 2, kind: "train", manifest: await lab.version(2) });
    await lab.clock.until(() => lab.server.of("get").length > 1);
    await lab.server.retainTask(lab.server.signedTask(linearTask({ scale: "none" })));
    await lab.clock.until(() => pump.of("task-adopted").length > 1);
    await lab.clock.advance(1000);
    expect(pump.of("abandoned")).toMatchObject([{ round: 2, reason: "task-changed" }]);
    expect(pump.agent.status()).toMatchObject({ serving: undefined, examples: { train: 0, validation: 0 } });
    expect(pump.agent.counters.get("examples.other-task")).toBe(100);
  });

  test("with the same columns keeps examples and model", async () => {
    const pump = await lab.ready();
    await lab.server.retainStable(await lab.version(1));
    await lab.clock.until(() => pump.of("serving").length > 0);
    const { examples } = pump.agent.status();
    await lab.server.retainTask(lab.server.signedTask(linearTask({ rounds: "max: 7" })));
    await lab.clock.until(() => pump.of("task-adopted").length > 1);
    expect(pump.agent.status()).toMatchObject({ serving: 1, examples });
  });
});

describe("readings", () => {
  test("before a task are dropped and counted", async () => {
    const pump = lab.device();
    await pump.agent.ingest(linearReadings("pump-1", 7));
    expect(pump.agent.counters.get("readings.no-task")).toBe(7);
  });

  test("are on disk once the device has stopped", async () => {
    const pump = await lab.ready();
    const stopped = pump.agent.stop();
    await lab.clock.advance(1000);
    await stopped;
    expect(pump.disk.telemetry.get(`SELECT count(*) AS rows FROM example`)).toEqual({ rows: 100 });
  });

  test("of an idle source ripen by the clock alone", async () => {
    const loaded = linearTask({ disorder: "1m" });
    await lab.server.retainTask(lab.server.signedTask(loaded));
    const pump = lab.device({ agent: { eventNow: () => lab.clock.now() } });
    await pump.agent.start();
    await lab.clock.until(() => pump.of("task-adopted").length > 0);
    await pump.agent.ingest(linearReadings("pump-1", 3, lab.clock.now()));
    expect(pump.agent.status().examples).toEqual({ train: 0, validation: 0, test: 0 });
    await lab.clock.advance(90_000);
    const { train = 0, validation = 0 } = pump.agent.status().examples ?? {};
    expect(train + validation).toBe(3);
  });
});
