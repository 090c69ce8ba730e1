// `headwater predict`, as a user runs it: by what a device serves, by any version of a server, and by one that was exported.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { openDeviceFolder } from "../../device/host/device-folder.js";
import { RawLog } from "../../device/log/raw-log.js";
import { ModelCache } from "../../device/model/cache.js";
import { hashBlob } from "../../device/model/hashed-blob.js";
import { keepTask } from "../../device/task-record.js";
import { openServerFolder } from "../../server/host/server-folder.js";
import { LineageStore } from "../../server/lineage/store.js";
import { VersionStore } from "../../server/model/version-store.js";
import { policyOf } from "../../server/round/policy.js";
import { initialState, stringifyState } from "../../server/round/state.js";
import { Counters } from "../../shared/counters.js";
import { silentLogger } from "../../shared/log.js";
import { createTfjsRuntime } from "../../shared/model/tfjs.js";
import { parseTask } from "../../shared/task/parse.js";
import { createMemoryBroker } from "../../shared/transport/memory.js";
import { signManifest } from "../../shared/wire/signature.js";
import { deviceId, taskId } from "../support/device-kit.js";
import { ManualClock } from "../support/manual-clock.js";
import { MAIN } from "../support/program.js";
import { ScriptedServer } from "../support/scripted-server.js";
import { tempFolder } from "../support/temp-folder.js";

const START_MS = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;
const temp = tempFolder();
const [device, versions] = [join(temp.path, "pi-data"), join(temp.path, "server-data")];
// value = 2 x + 1
const yaml = `task: line
entity: "{topic.1}"
sources: { air: { mqtt: air/+ } }
features: { from: air, list: [{ copy: x }], scale: none }
label: { field: y, scale: none }
rows: { split: { validation: 0% } }
model: { dense: [] }
`;
const HEADER = "time,entity,id,version,value,probability,anomaly";

function predict(...args: readonly string[]) {
  return spawnSync(process.execPath, [MAIN, "predict", ...args], { encoding: "utf8" });
}

/** Time, entity, version and value of each line. */
function brief(csv: string): readonly string[] {
  const [header, ...lines] = csv.trimEnd().split("\n");
  expect(header).toBe(HEADER);
  return lines.map((line) => {
    const [time = "", entity, , version, value] = line.split(",");
    return `${time.slice(11, 16)} ${entity} ${version} ${value}`;
  });
}

beforeAll(async () => {
  const clock = new ManualClock(START_MS);
  const loaded = parseTask(yaml);
  const runtime = await createTfjsRuntime("tfjs-cpu");
  const server = new ScriptedServer(createMemoryBroker({ clock }), loaded);
  const made = async (version: number, params: readonly number[]) => {
    const manifest = await server.version(version, runtime, { params: Float32Array.from(params) });
    return { manifest, blob: server.blob(manifest.sha256)! };
  };
  const [stable, head] = [await made(3, [2, 1]), await made(4, [0, 7])];
  const opened = openDeviceFolder(device, {
    device: deviceId("pi"),
    limits: { diskBytes: 1e8 },
    rawLog: { durability: "normal", bytes: 1e8 },
  });
  keepTask(opened.state, server.signedTask());
  new ModelCache(opened.state).arrange({ stable: stable.manifest }, { blob: hashBlob(stable.blob) });
  const counters = new Counters();
  const log = new RawLog({ database: opened.log, clock, counters, logger: silentLogger, keepMs: 1e12 });
  for (let i = 0; i < 10; i++) {
    const payload = Buffer.from(JSON.stringify({ ts: (START_MS + i * MINUTE_MS) / 1000, x: i }));
    log.append({ source: "air", topic: `air/${i % 2 ? "b" : "a"}`, payload, arrivalMs: START_MS });
  }
  log.append({ source: "air", topic: "air/a", payload: Buffer.from("noise"), arrivalMs: START_MS });
  log.flush();
  opened.close();
  const folder = openServerFolder(versions, { task: taskId("line"), clock });
  const store = new VersionStore(folder.database);
  for (const { manifest, blob } of [stable, head])
    store.keep({ ...manifest, signature: signManifest(folder.keys.privateKey, manifest) }, blob);
  new LineageStore({ database: folder.database }).keepTask(loaded);
  folder.database.run(
    "INSERT INTO snapshot (id, state, policy, alive_ms) VALUES (1, ?, ?, 0)",
    stringifyState({ ...initialState, stable: 3, head: 4, lastVersion: 4 }),
    JSON.stringify(policyOf(loaded.task, { seed: "s", maxDevices: 9 })),
  );
  folder.close();
  runtime.dispose();
});

test("a device's log is scored by the version that it serves, in a range", () => {
  const { status, stdout, stderr } = predict(
    device,
    "--from",
    "2026-01-01T00:04:00Z",
    "--to",
    "2026-01-01T00:07:00Z",
  );
  expect(stderr).toMatch(
    /^11 lines, 10 readings, 3 predictions of version 3 in [\d.]+ s\n(?:.*\n)*.*telemetry\.no-reading/,
  );
  expect(status).toBe(0);
  expect(brief(stdout)).toEqual(["00:04 a 3 9", "00:05 b 3 11", "00:06 a 3 13"]);
});

test("files are scored by any version of a server, as JSON lines into a file", () => {
  const data = temp.write("roof.jsonl", '{"ts":1,"x":5}\n{"ts":2,"x":6}\n');
  const out = join(temp.path, "out.jsonl");
  const args = [versions, "--data", data, "--format", "jsonl", "--out", out, "--json"];
  const stable = predict(...args);
  expect(JSON.parse(stable.stdout)).toMatchObject({ version: 3, rows: 2, predictions: 2, notes: [] });
  const lines = readFileSync(out, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines[1]).toMatchObject({ time: "1970-01-01T00:00:02.000Z", entity: "roof", version: 3, value: 13 });
  expect(brief(predict(versions, "--data", data, "--use", "head").stdout)).toEqual([
    "00:00 roof 4 7",
    "00:00 roof 4 7",
  ]);
});

test("what is scored ahead is found among the device's predictions", () => {
  const data = temp.write("ahead.jsonl", '{"ts":2000000000,"x":50}\n');
  const stored = predict(device, "--data", data, "--store", device);
  expect(stored.stderr).toContain("1 predictions of version 3");
  expect(stored.stdout).toBe("");
  const args = [MAIN, "data", "export", device, "--what", "predictions"];
  const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(brief(stdout)).toEqual(["03:33 ahead 3 101"]);
});

test("what was exported is scored without a server", async () => {
  const archive = join(temp.path, "line.tar");
  const args = [MAIN, "model", "export", "stable", "--data", versions, "--out", archive];
  expect(spawnSync(process.execPath, args, { encoding: "utf8" }).stderr).toBe("");
  const data = temp.write("roof.jsonl", '{"ts":1,"x":5}\n');
  expect(brief(predict(archive, "--data", data).stdout)).toEqual(["00:00 roof 3 11"]);
});

test.each([
  [[versions, "--use", "9", "--data", "x"], /there is no version 9: the newest are 4, 3/],
  [[device, "--use", "9"], /pi-data holds version 3 alone, not 9/],
  [[versions], /what is to be scored\? Say --data FILE or --catalogue FOLDER/],
  [[device, "--data", "x", "--catalogue", device], /--data and --catalogue: expected one of them/],
  [[device, "--from", "yesterday"], /expected a date/],
  [[temp.path, "--data", "x"], /it is no exported model: there is no headwater\.json/],
  [[join(temp.path, "none"), "--data", "x"], /cannot read the model/],
])("%j says what is missing", (args, message) => {
  const { status, stderr } = predict(...args);
  expect(stderr).toMatch(message);
  expect(status).not.toBe(0);
});
