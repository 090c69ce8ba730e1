// How versions come to be, as a real server writes it down.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LineageStore } from "../../../../server/lineage/store.js";
import { faultOf, type Lineage } from "../../../../shared/lineage/record.js";
import type { ModelRuntime } from "../../../../shared/model/runtime.js";
import { createTfjsRuntime } from "../../../../shared/model/tfjs.js";
import { keysFromSeed, verifyManifest } from "../../../../shared/wire/signature.js";
import { type HandUpdate, ServerLab, serverKeys } from "../../../support/server-lab.js";

const yaml = "rounds: { minDevices: 2, quorum: 100%, overSelect: 0%, max: 2 }\nevaluate: { every: 1 }\n";

let runtime: ModelRuntime;
let lab: ServerLab;
let updates: HandUpdate[];

beforeAll(async () => {
  runtime = await createTfjsRuntime("tfjs-cpu");
  lab = new ServerLab({ runtime, yaml });
  await lab.start();
  updates = [];
  // Said and delivered in the other order than that of their names.
  const devices = [await lab.device("b"), await lab.device("a")];
  for (const device of devices) await device.hello();
  for (const device of devices) {
    const update = await device.update(await device.offered());
    updates.push(update);
    await device.upload(update);
  }
  await lab.settle(() => lab.server.status().head === 2);
  for (const device of devices) await device.contribute();
  await lab.settle(() => lab.told("gate").length === 1);
});
afterAll(() => runtime.dispose());

function chain(version: number): readonly Lineage[] {
  return lab.server.lineage(version, 10);
}

describe("the lineage of a version", () => {
  test("names round, updates by device, rules and hashes", async () => {
    const [made] = chain(2);
    const { manifest } = (await lab.server.model(2))!;
    const run = made!.run.record;
    expect(run).toMatchObject({
      ...{ task: "lab", version: 2, parent: 1, kind: "fold", round: 1, epsilon: null, origin: null },
      hashes: {
        ...{ task: lab.task.taskHash, pipeline: lab.task.pipelineHash, blob: manifest.sha256 },
        ...{ params: manifest.fingerprint, modelSignature: manifest.modelSignature },
      },
      train: { epochs: lab.task.task.train.epochs },
      aggregate: { rule: "mean" },
      code: { node: process.versions.node, engine: "tfjs-cpu" },
      times: { openedMs: expect.any(Number), createdMs: manifest.createdMs },
    });
    const [ofB, ofA] = updates;
    expect(run.updates).toEqual([
      { device: "a", updateId: ofA!.begin.updateId, sha256: ofA!.begin.sha256, examples: 10 },
      { device: "b", updateId: ofB!.begin.updateId, sha256: ofB!.begin.sha256, examples: 10 },
    ]);
    expect(verifyManifest(serverKeys.publicKey, manifest, manifest.signature)).toBe(true);
  });

  test("is a chain to the first version, each link naming the one before", () => {
    const [made, first, ...more] = chain(2);
    expect(more).toEqual([]);
    expect(made!.run.record.parentRun).toBe(first!.run.sha256);
    expect(first!.run.record).toMatchObject({
      kind: "initialise",
      version: 1,
      parent: 0,
      parentRun: null,
      updates: [],
    });
    expect(lab.server.lineage(2, 1)).toHaveLength(1);
    expect(chain(3)).toEqual([]);
  });

  test("holds what devices made of it and the gate's word, once judged", () => {
    const [made, first] = chain(2);
    expect(first!.verdict).toBeUndefined();
    expect(made!.verdict?.record).toMatchObject({
      ...{ version: 2, run: made!.run.sha256, metric: "rmse", value: 1, reference: null, passed: true },
      evaluation: { round: 2, devices: 2, metrics: { rmse: 1 } },
    });
  });

  test("is signed: no record can be changed, and none by another key believed", () => {
    for (const { run, verdict } of chain(2)) {
      expect(faultOf(serverKeys.publicKey, run)).toBeUndefined();
      if (verdict !== undefined) expect(faultOf(serverKeys.publicKey, verdict)).toBeUndefined();
      const other = keysFromSeed(new Uint8Array(32).fill(1)).publicKey;
      expect(faultOf(other, run)).toBe("bad-signature");
      expect(faultOf(serverKeys.publicKey, { ...run, record: { ...run.record, round: 9 } })).toBe(
        "wrong-hash",
      );
    }
  });

  test("is the same after a restart", async () => {
    const before = chain(2);
    await lab.kill();
    await lab.start();
    expect(chain(2)).toEqual(before);
  });

  test("is kept up to a bound, the oldest going first", () => {
    const [made, first] = chain(2);
    const { database, task } = new ServerLab({ runtime, yaml });
    const limits = { versions: 3, bytes: 1_000_000 };
    const store = new LineageStore({ database, task: task.task, limits });
    for (let version = 1; version <= 10; version++) {
      store.keep({ ...made!.run, record: { ...made!.run.record, version } });
    }
    expect(store.find(7)).toBeUndefined();
    expect(store.find(8)).toBeDefined();
    const small = new LineageStore({ database, task: task.task, limits: { versions: 100, bytes: 1 } });
    small.keep({ ...first!.run, record: { ...first!.run.record, version: 11 } });
    expect(database.all("SELECT version FROM lineage")).toEqual([{ version: 11 }]);
  });

  test("has the text of the task behind its hash", () => {
    const store = new LineageStore({ database: lab.database, task: lab.task.task });
    expect(store.task(lab.task.taskHash)?.source).toBe(lab.task.source);
    expect(store.task("0".repeat(64))).toBeUndefined();
  });
});
