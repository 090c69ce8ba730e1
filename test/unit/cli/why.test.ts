// A prediction followed back through a device's folder and a server's, both real and open in their programs.

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explain, describe as inWords, type Story } from "../../../cli/why.js";
import { WriteBatch } from "../../../device/batched-writes.js";
import { viewFolder } from "../../../device/catalogue/folder.js";
import { ExampleStore } from "../../../device/examples/store.js";
import { type DeviceFolder, openDeviceFolder } from "../../../device/host/device-folder.js";
import { PredictionLog } from "../../../device/infer/predictions.js";
import { ModelCache } from "../../../device/model/cache.js";
import { hashBlob } from "../../../device/model/hashed-blob.js";
import { keepTask } from "../../../device/task-record.js";
import { openServerFolder, type ServerFolder } from "../../../server/host/server-folder.js";
import { createApp } from "../../../server/http/http.js";
import { Counters } from "../../../shared/counters.js";
import type { TaskId } from "../../../shared/id.js";
import { silentLogger } from "../../../shared/log.js";
import { readAnswer } from "../../../shared/model/answer.js";
import { createRuntime } from "../../../shared/model/create-runtime.js";
import type { ModelRuntime } from "../../../shared/model/runtime.js";
import { formatCredential } from "../../../shared/wire/credential.js";
import { encodeModelBlob } from "../../../shared/wire/model-blob.js";
import { rawPublicKey, signTask } from "../../../shared/wire/signature.js";
import { deviceId } from "../../support/device-kit.js";
import { ManualClock } from "../../support/manual-clock.js";
import { ServerLab } from "../../support/server-lab.js";
import { tempFolder } from "../../support/temp-folder.js";

const temp = tempFolder();
const [serverData, deviceData] = [join(temp.path, "server"), join(temp.path, "device")];
const row = { entity: "pump", timeMs: Date.UTC(2026, 2, 1), test: false };
const features = Float32Array.of(0.5, -2);

let runtime: ModelRuntime;
let server: ServerFolder;
let device: DeviceFolder;
let lab: ServerLab;
let http: Awaited<ReturnType<typeof createApp>>;
let url: string;

beforeAll(async () => {
  runtime = await createRuntime("auto");
  const clock = new ManualClock();
  server = openServerFolder(serverData, { task: "lab" as TaskId, clock });
  const yaml = "rounds: { minDevices: 2, quorum: 100%, overSelect: 0%, max: 2 }\nevaluate: { every: 1 }\n";
  lab = new ServerLab({ runtime, yaml, database: server.database, keys: server.keys });
  await lab.start();
  const fleet = [await lab.device("a"), await lab.device("b")];
  for (const each of fleet) await each.hello();
  for (const each of fleet) await each.contribute();
  await lab.settle(() => lab.server.status().head === 2);
  await fillDevice(clock);
  http = await createApp({
    sources: {
      ...{ task: lab.task.task, source: lab.task, version: "1", server: lab.server, clock, startedMs: 0 },
      ...{ enrolled: { list: () => [] }, brokerCounters: new Counters(), notReady: () => undefined },
      broker: () => ({ kind: "external", urls: [], isConnected: true }),
    },
    logger: silentLogger,
  });
  url = await http.listen({ port: 0, host: "127.0.0.1" });
});

afterAll(async () => {
  await http.close();
  await lab.kill();
  device.close();
  server.close();
  runtime.dispose();
});

/** One row, its example, and what version 2 predicted for it. */
async function fillDevice(clock: ManualClock): Promise<void> {
  const loaded = lab.task;
  const bounds = { limits: { diskBytes: 1e8 }, rawLog: { durability: "normal", bytes: 1e8 } } as const;
  device = openDeviceFolder(deviceData, { device: deviceId("pump-1"), ...bounds });
  const claim = { v: 1, task: loaded.task.task, source: loaded.source, taskHash: loaded.taskHash } as const;
  keepTask(device.state, { ...claim, signature: signTask(server.keys.privateKey, claim) });
  const { manifest, params, scaler } = (await lab.server.model(2))!;
  const { fingerprint, modelSignature } = manifest;
  const blob = encodeModelBlob({ params, scaler, fingerprint, modelSignature });
  new ModelCache(device.state).arrange({ stable: manifest }, { blob: hashBlob(blob) });
  const batch = new WriteBatch(device.telemetry, clock);
  const common = { database: device.telemetry, batch, counters: new Counters() };
  const examples = new ExampleStore({ ...common, limits: { rows: 100, ageMs: undefined }, meaning: "m" });
  examples.add({ ...row, features, label: 1, persistence: null, split: "train" });
  const log = new PredictionLog({ ...common, clock });
  const { defineModel } = await import("../../../shared/model/define.js");
  const model = await runtime.model(defineModel(loaded.task.model, 2));
  model.load(params);
  const answer = readAnswer(loaded.task.model.output, scaler, model.predict(features, 1), features);
  log.add({ id: "p1", ...row, version: 2, ...answer, anomaly: null });
  log.add({ id: "p2", ...row, version: 2, ...answer, value: answer.value + 1, anomaly: null });
  log.add({ id: "p3", ...row, version: 7, ...answer, anomaly: null });
  log.flush();
}

async function why(id: string, options: Parameters<typeof explain>[2]): Promise<Story> {
  const view = viewFolder(deviceData);
  try {
    return (await explain(view, id, options))[0]!;
  } finally {
    view.close();
  }
}

function failures({ checks }: Story): string[] {
  return checks.filter(({ ok }) => !ok).map(({ what, detail }) => `${what}: ${detail}`);
}

describe("why", () => {
  test("follows a prediction to the first version and verifies every step", async () => {
    const story = await why("p1", { data: serverData });
    expect(story.features).toEqual({ from: "example", columns: ["a", "b"], values: [0.5, -2] });
    expect(story.lineage.map(({ run }) => run.record.version)).toEqual([2, 1]);
    expect(story.lineage[0]!.run.record.updates.map(({ device: id }) => id)).toEqual(["a", "b"]);
    expect(failures(story)).toEqual([]);
    expect(story.missing).toEqual([]);
    expect(story.checks.map(({ what }) => what)).toEqual([
      ...[
        "task on the device",
        "manifest of version 2",
        "run of version 2",
        "parent of version 2",
        "run of version 1",
      ],
      ...[
        "pipeline of device and version",
        "content of version 2",
        "content and run",
        "the prediction, made anew",
      ],
    ]);
    const words = inWords(story);
    expect(words).toContain("round 1: 2 updates, 20 examples from a, b");
    expect(words).toContain("verified: 9 of 9 checks");
  });

  test("says the same over the server's API", async () => {
    expect(await why("p1", { server: url })).toEqual(await why("p1", { data: serverData }));
  });

  test("believes the key of the device's credential before the server's own word", async () => {
    const secret = { password: "x".repeat(20), privateKey: new Uint8Array(32) };
    const whose = { device: deviceId("pump-1"), task: "lab" as TaskId };
    const own = { ...secret, ...whose, serverKey: rawPublicKey(server.keys.publicKey) };
    const credential = temp.write("own.json", formatCredential(own));
    expect(failures(await why("p1", { data: serverData, credential }))).toEqual([]);
    const foreign = temp.write(
      "foreign.json",
      formatCredential({ ...own, serverKey: new Uint8Array(32).fill(1) }),
    );
    const wrong = failures(await why("p1", { data: serverData, credential: foreign }));
    expect(wrong[0]).toBe("the server's key: not the one the device believes");
    expect(wrong).toContain("run of version 2: bad-signature");
  });

  test("says which credential it cannot read", async () => {
    await expect(why("p1", { data: serverData, credential: "nobody.json" })).rejects.toThrow(
      "cannot read the credential nobody.json",
    );
  });

  test("finds a prediction that its version would not make", async () => {
    expect(failures(await why("p2", { data: serverData }))).toEqual([
      expect.stringMatching(/^the prediction, made anew: it is .*, not /),
    ]);
  });

  test("says what is not known, without a server and of a version that is gone", async () => {
    expect((await why("p1", {})).missing).toEqual([
      "lineage: give --data or --server to follow the version back",
      "the server's key: give --credential, --data or --server",
    ]);
    expect((await why("p3", { data: serverData })).missing).toEqual([
      "lineage: the server does not know version 7 (any more)",
      "content of version 7: the device has gone on to others",
    ]);
    expect((await why("p3", { server: url })).missing[0]).toMatch(
      /there is no version 7, or what was known of it is kept no longer/,
    );
    await expect(why("p9", {})).rejects.toThrow(/no prediction p9/);
    await expect(why("p1", { data: serverData, server: url })).rejects.toThrow(
      /either --data FOLDER or --server URL/,
    );
  });
});
