import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModelRuntime } from "../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../shared/model/tfjs.js";
import { verifyManifest, verifyReceipt } from "../../../shared/wire/signature.js";
import { ServerLab, scoreOf, serverKeys } from "../../support/server-lab.js";

let runtime: ModelRuntime;
beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
});
afterAll(() => runtime.dispose());

const three = "rounds: { minDevices: 3, quorum: 60%, deadline: 10m, lease: 4m, max: 4 }\n";

async function startLab(yaml = three) {
  const lab = new ServerLab({ runtime, yaml });
  await lab.start();
  const a = await lab.device("a");
  const b = await lab.device("b");
  const c = await lab.device("c");
  return { lab, a, b, c };
}

describe("a federation", () => {
  test("goes from hello to a new version that is the mean of the updates", async () => {
    const { lab, a, b, c } = await startLab();
    expect((await a.hello()).kind).toBe("wait");
    expect((await b.hello()).kind).toBe("wait");
    const base = await lab.server.model(1);
    const first = await c.offered();
    expect(first).toMatchObject({ round: 1, kind: "train", manifest: { version: 1 } });
    const receipt = await a.contribute({
      examples: 30,
      delta: new Float32Array(base!.params.length).fill(1),
    });
    expect(receipt).toMatchObject({ status: "accepted", duplicate: false });
    await b.contribute({ delta: new Float32Array(base!.params.length).fill(-1) });
    await c.upload(await c.update(first, { delta: new Float32Array(base!.params.length).fill(0) }));
    await lab.settle(() => lab.server.status().head === 2);
    const next = await lab.server.model(2);
    const expected = base!.params.map((value) => value + (30 - 10) / 50);
    expect(next!.params).toEqual(expected);
    expect(next!.manifest).toMatchObject({ version: 2, parent: 1 });
    expect(lab.told("round-closed")[0]).toMatchObject({
      outcome: "completed",
      folded: [{ device: "a" }, { device: "b" }, { device: "c" }],
    });
  });

  test("promotes a candidate that passes the gate, and publishes it signed and retained", async () => {
    const { lab, a, b, c } = await startLab();
    for (const device of [a, b, c]) await device.hello();
    for (const device of [a, b, c]) await device.contribute();
    for (const device of [a, b, c]) {
      const offer = await device.offered();
      expect(offer.kind).toBe("evaluate");
      await device.upload(await device.update(offer));
    }
    await lab.clock.until(() => a.stable !== undefined);
    expect(a.stable?.version).toBe(2);
    expect(verifyManifest(serverKeys.publicKey, a.stable!, a.stable!.signature)).toBe(true);
    expect(lab.told("gate")).toEqual([
      { type: "gate", version: 2, passed: true, value: 1, reference: undefined },
    ]);
    const late = await lab.device("late");
    await lab.clock.until(() => late.stable !== undefined);
    expect(late.stable).toEqual(a.stable);
  });

  test("fits the scaler from the fleet's statistics before the first version", async () => {
    const lab = new ServerLab({
      runtime,
      yaml: three.replace("minDevices: 3", "minDevices: 2"),
      features: "scale: standard",
    });
    await lab.start();
    const a = await lab.device("a");
    const b = await lab.device("b");
    expect(lab.server.status().head).toBe(0);
    await a.hello();
    const offer = await b.offered();
    expect(offer).toMatchObject({ round: 1, kind: "fit", manifest: null });
    await a.contribute();
    await b.upload(await b.update(offer));
    await lab.settle(() => lab.server.status().head === 1);
    const model = await lab.server.model(1);
    expect(model?.scaler).toEqual({ offset: [2, 2], factor: [0.5, 0.5], label: { offset: 0, factor: 1 } });
    expect(lab.told("round-closed")[0]).toMatchObject({ kind: "fit", outcome: "completed" });
    expect((await a.offered()).kind).toBe("train");
  });

  test("serves blobs block by block", async () => {
    const { lab, a } = await startLab();
    const { manifest } = (await lab.server.model(1))!;
    const parts: Uint8Array[] = [];
    for (let offset = 0; offset < manifest.bytes; offset += 100) {
      await a.send("get", { v: 1, sha256: manifest.sha256, offset, length: 100 });
      const block = await a.next("block");
      expect(block).toMatchObject({ offset, total: manifest.bytes });
      parts.push(new Uint8Array(block.data));
    }
    expect(Buffer.concat(parts).length).toBe(manifest.bytes);
    await a.send("get", { v: 1, sha256: manifest.sha256, offset: manifest.bytes, length: 1 });
    expect((await a.next("refusal")).reason).toContain("offset");
    await a.send("get", { v: 1, sha256: "0".repeat(64), offset: 0, length: 1 });
    expect((await a.next("refusal")).reason).toBe("unknown-blob");
  });

  test("ends after the last round, with what it has learned", async () => {
    const { lab, a, b, c } = await startLab(three.replace("max: 4", "max: 1"));
    for (const device of [a, b, c]) await device.hello();
    for (const device of [a, b, c]) await device.contribute();
    for (const device of [a, b, c]) await device.contribute();
    expect(lab.told("finished")).toEqual([{ type: "finished", reason: "max-rounds", version: 2 }]);
    expect(await a.hello()).toMatchObject({ kind: "wait", message: { reason: "finished" } });
  });

  test("tells of per-device and pooled scores", async () => {
    const { lab, a, b, c } = await startLab();
    for (const device of [a, b, c]) await device.hello();
    for (const device of [a, b, c]) await device.contribute();
    for (const [device, error] of [
      [a, 1],
      [b, 2],
      [c, 3],
    ] as const) {
      await device.contribute({ header: { evaluate: scoreOf(10, error) } });
    }
    const [evaluated] = lab.told("evaluated");
    expect(evaluated).toMatchObject({ version: 2, pooled: { rows: 30, squaredError: 140 } });
    expect(evaluated?.perDevice.map(({ device }) => device)).toEqual(["a", "b", "c"]);
    expect(lab.database.all("SELECT version FROM evaluations")).toEqual([{ version: 2 }]);
  });
});

describe("a round whose updates add up to no finite params", () => {
  test("is abandoned, and head stays", async () => {
    const { lab, a, b, c } = await startLab(`${three}aggregate: { optimizer: { sgd: 10 } }\n`);
    for (const device of [a, b, c]) await device.hello();
    const count = (await lab.server.model(1))!.params.length;
    for (const device of [a, b, c]) await device.contribute({ delta: new Float32Array(count).fill(3e38) });
    await lab.settle(() => lab.told("round-closed").length === 1);
    expect(lab.told("round-closed")[0]).toMatchObject({ outcome: "abandoned", folded: [] });
    expect(lab.server.status()).toMatchObject({ head: 1, open: { round: 2, baseVersion: 1 } });
  });
});

describe("receipts", () => {
  test("a duplicate commit gets the same word", async () => {
    const { lab, a, b, c } = await startLab();
    for (const device of [a, b, c]) await device.hello();
    const update = await a.update(await a.offered());
    const first = await a.upload(update);
    await a.send("commit", update.commit);
    const second = await a.next("receipt");
    expect(second).toEqual({ ...first, duplicate: true });
    expect(await a.upload(update)).toEqual(second);
    const claim = { ...first, task: lab.task.task.task, device: a.id };
    expect(verifyReceipt(serverKeys.publicKey, claim, first.signature)).toBe(true);
    expect(lab.told("update-accepted").length).toBe(1);
    expect(lab.told("update-duplicate").length).toBe(2);
  });

  test("a late update counts for nothing after the round closed", async () => {
    const { lab, a, b, c } = await startLab();
    for (const device of [a, b, c]) await device.hello();
    const late = await c.update(await c.offered());
    await a.contribute();
    await b.contribute();
    await lab.clock.advance(10 * 60_000);
    await lab.settle(() => lab.told("round-closed").length === 1);
    expect(lab.told("round-closed")[0]).toMatchObject({ outcome: "completed" });
    expect(lab.told("round-closed")[0]?.folded.map(({ device }) => device)).toEqual(["a", "b"]);
    expect(await c.upload(late)).toMatchObject({ status: "rejected", reason: "round-closed" });
  });
});

describe("a restart", () => {
  test("between accept and close resumes the same round and folds exactly once", async () => {
    const { lab, a, b, c } = await startLab();
    for (const device of [a, b, c]) await device.hello();
    const update = await a.update(await a.offered());
    const receipt = await a.upload(update);
    const before = lab.server.status().open;
    await lab.kill();
    await lab.clock.advance(3_600_000);
    await lab.start();
    const after = lab.server.status().open;
    expect(after?.round).toBe(before?.round);
    expect(after!.deadlineMs - before!.deadlineMs).toBeGreaterThanOrEqual(3_599_000);
    expect(await a.upload(update)).toEqual({ ...receipt, duplicate: true });
    await b.contribute();
    await c.contribute();
    await lab.settle(() => lab.server.status().head === 2);
    expect(lab.told("round-closed").map(({ folded }) => folded.map(({ device }) => device))).toEqual([
      ["a", "b", "c"],
    ]);
  });

  test("while folding folds again, to the same version", async () => {
    const { lab, a, b, c } = await startLab();
    for (const device of [a, b, c]) await device.hello();
    await a.contribute();
    await b.contribute();
    const turn = lab.clock.turn;
    lab.clock.turn = () => new Promise(() => undefined);
    await c.contribute();
    expect(lab.server.status().open?.isClosing).toBe(true);
    lab.clock.turn = turn;
    await lab.kill();
    await lab.start();
    await lab.settle(() => lab.server.status().head === 2);
    expect(lab.told("round-closed").length).toBe(1);
    expect(lab.told("version-published").map(({ manifest }) => manifest.version)).toEqual([1, 2]);
  });

  test("of a server that was alive a moment ago moves the deadline by no more than that", async () => {
    const { lab, a, b, c } = await startLab();
    for (const device of [a, b, c]) await device.hello();
    const before = lab.server.status().open!.deadlineMs;
    await lab.clock.advance(3 * 60_000);
    await lab.kill();
    await lab.start();
    expect(lab.server.status().open!.deadlineMs - before).toBeLessThanOrEqual(30_000);
  });

  test("finds a journal that has stayed short", async () => {
    const { lab, a } = await startLab();
    for (let i = 0; i < 300; i++) await a.hello({ eligible: i % 2 === 0 });
    const { count } = lab.database.get("SELECT COUNT(*) AS count FROM journal") as { count: number };
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(256);
    const before = lab.server.status();
    await lab.kill();
    await lab.start();
    expect(lab.server.status()).toMatchObject({ open: before.open, head: before.head });
  });

  test("publishes stable again", async () => {
    const { lab, a, b, c } = await startLab();
    for (const device of [a, b, c]) await device.hello();
    for (const device of [a, b, c]) await device.contribute();
    for (const device of [a, b, c]) await device.contribute();
    await lab.clock.until(() => a.stable !== undefined);
    const stable = a.stable;
    a.release = undefined;
    await lab.kill();
    await lab.start();
    await lab.clock.until(() => a.stable !== undefined);
    expect(a.stable).toEqual(stable);
  });

  test("refuses a database that belongs to another model", async () => {
    const { lab } = await startLab();
    await lab.kill();
    const other = new ServerLab({
      runtime,
      database: lab.database,
      yaml: "rows: { every: 2h }\ntrain: { epochs: 2 }\n",
    });
    await other.start();
    await other.kill();
    const wider = new ServerLab({ runtime, database: lab.database, features: "scale: standard" });
    await expect(wider.start()).rejects.toThrow(/use another one/);
  });
});
