import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { WriteBatch } from "../../../../device/batched-writes.js";
import { findFeatures, findPredictions, findVersion } from "../../../../device/catalogue/explain.js";
import { type ExportFilter, type ExportKind, exportTable } from "../../../../device/catalogue/export.js";
import { type FolderView, viewFolder } from "../../../../device/catalogue/folder.js";
import { listFolder } from "../../../../device/catalogue/list.js";
import { ExampleStore } from "../../../../device/examples/store.js";
import { openDeviceFolder } from "../../../../device/host/device-folder.js";
import { PredictionLog } from "../../../../device/infer/predictions.js";
import { RawLog } from "../../../../device/log/raw-log.js";
import { QuarantineStore } from "../../../../device/quarantine.js";
import { keepTask } from "../../../../device/task-record.js";
import { Counters } from "../../../../shared/counters.js";
import { silentLogger } from "../../../../shared/log.js";
import { parseTask } from "../../../../shared/task/parse.js";
import { createMemoryBroker } from "../../../../shared/transport/memory.js";
import { deviceId } from "../../../support/device-kit.js";
import { ManualClock } from "../../../support/manual-clock.js";
import { ScriptedServer } from "../../../support/scripted-server.js";
import { tempFolder } from "../../../support/temp-folder.js";

const temp = tempFolder();
const folder = join(temp.path, "data");
const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 2, 1);

const task = parseTask(`task: linear
entity: "{topic.1}"
sources:
  air: { mqtt: air/+, time: { field: ts, unit: ms }, late: { disorder: 0s } }
features: { from: air, list: [{ copy: [x, y] }] }
label: { field: x }
rows: { split: { validation: 0% } }
model: { dense: [] }
train: { batch: 8, epochs: 1, optimizer: { sgd: 0.05 } }
rounds: { minExamples: 10, deadline: 2m }
`);

// The agent has the folder open all the while.
beforeAll(() => {
  const [clock, counters] = [new ManualClock(START_MS), new Counters()];
  const opened = openDeviceFolder(folder, {
    device: deviceId("pump-1"),
    limits: { diskBytes: 1e8 },
    rawLog: { durability: "normal", bytes: 1e8 },
  });
  keepTask(opened.state, new ScriptedServer(createMemoryBroker({ clock }), task).signedTask());
  const log = new RawLog({ database: opened.log, clock, counters, logger: silentLogger, keepMs: 1e9 });
  for (let i = 0; i < 1200; i++) {
    const payload = Buffer.from(
      JSON.stringify({ ts: START_MS + i * MINUTE_MS, x: i, y: i % 2 ? i / 2 : null }),
    );
    log.append({ source: "air", topic: `air/${i % 3}`, payload, arrivalMs: START_MS + i * MINUTE_MS + 5 });
  }
  log.append({ source: "air", topic: "air/0", payload: Uint8Array.of(0xff, 0), arrivalMs: START_MS });
  log.flush();
  const batch = new WriteBatch(opened.telemetry, clock);
  const common = { database: opened.telemetry, batch, counters };
  const store = new ExampleStore({ ...common, limits: { rows: 1e6, ageMs: undefined }, meaning: "m" });
  const predictions = new PredictionLog({ ...common, clock });
  const quarantine = new QuarantineStore(common);
  for (let i = 0; i < 5; i++) {
    const row = { entity: i < 3 ? "a" : "b", timeMs: START_MS + i, test: false };
    store.add({
      ...row,
      features: Float32Array.of(i, 0.5),
      label: i,
      persistence: null,
      split: i ? "train" : "test",
    });
    predictions.add({ ...row, id: `p${i}`, version: 2, value: i, probability: null, anomaly: null });
  }
  quarantine.add({
    ...{ source: "air", entity: "a", timeMs: START_MS, reason: "range", field: "x", value: 1e9 },
    raw: Buffer.from('{"x":1e9}'),
  });
  batch.flush();
  return () => opened.close();
});

async function exported(kind: ExportKind, filter: Partial<ExportFilter> = {}) {
  const view = viewFolder(folder);
  try {
    const all = { source: undefined, entity: undefined, fromMs: undefined, toMs: undefined, ...filter };
    const { columns, records } = await exportTable(view, kind, all);
    return { columns, records: [...records] };
  } finally {
    view.close();
  }
}

describe("while the agent runs", () => {
  test("its folder is counted", () => {
    const view = viewFolder(folder);
    const listed = listFolder(view);
    view.close();
    expect(listed).toMatchObject({
      messages: [{ source: "air", count: 1201, firstMs: START_MS, lastMs: START_MS + 1199 * MINUTE_MS + 5 }],
      examples: [
        { entity: "a", count: 3, train: 2, validation: 0, test: 1, firstMs: START_MS, lastMs: START_MS + 2 },
        { entity: "b", count: 2, train: 2 },
      ],
      predictions: [
        { entity: "a", count: 3 },
        { entity: "b", count: 2 },
      ],
      quarantine: [{ source: "air", reason: "range", count: 1 }],
    });
  });

  test("raw messages come out as they came: as text, or in base64", async () => {
    const { columns, records } = await exported("raw");
    expect(columns).toEqual(["seq", "arrival", "source", "topic", "retained", "encoding", "payload"]);
    expect(records).toHaveLength(1201);
    expect(records[1]!.slice(1)).toEqual([
      "2026-03-01T00:01:00.005Z",
      ...["air", "air/1", false, "utf8", `{"ts":${START_MS + MINUTE_MS},"x":1,"y":0.5}`],
    ]);
    expect(records[1200]!.slice(-2)).toEqual(["base64", "/wA="]);
  });

  test("readings come out as the task decodes them, by entity and event time", async () => {
    const filter = { entity: "1", fromMs: START_MS + 30 * MINUTE_MS, toMs: START_MS + 36 * MINUTE_MS };
    expect(await exported("readings", filter)).toEqual({
      columns: ["time", "source", "entity", "x", "y"],
      records: [
        ["2026-03-01T00:31:00.000Z", "air", "1", 31, 15.5],
        ["2026-03-01T00:34:00.000Z", "air", "1", 34, null],
      ],
    });
    expect((await exported("readings", { source: "water" })).records).toEqual([]);
  });

  test("examples have their columns' names", async () => {
    const { columns, records } = await exported("examples", { entity: "b" });
    expect(columns).toEqual(["time", "entity", "split", "label", "persistence", "x", "y"]);
    expect(records[0]).toEqual(["2026-03-01T00:00:00.003Z", "b", "train", 3, null, 3, 0.5]);
  });

  test("predictions and quarantined values come with what is known of them", async () => {
    expect((await exported("predictions", { toMs: START_MS + 1 })).records).toEqual([
      ["2026-03-01T00:00:00.000Z", "a", "p0", 2, 0, null, null],
    ]);
    expect((await exported("quarantine")).records).toEqual([
      ["2026-03-01T00:00:00.000Z", "air", "a", "range", "x", 1e9, "utf8", '{"x":1e9}'],
    ]);
  });
});

test("what is no device's folder is said to be none", () => {
  expect(() => viewFolder(temp.path)).toThrow(/is no device's data folder/);
});

describe("a prediction explained", () => {
  async function explained<Result>(use: (view: FolderView) => Result | Promise<Result>): Promise<Result> {
    const view = viewFolder(folder);
    try {
      return await use(view);
    } finally {
      view.close();
    }
  }

  test("is found by its id, while it is kept", async () => {
    expect(await explained((view) => findPredictions(view, "p3"))).toEqual([
      { id: "p3", entity: "b", timeMs: START_MS + 3, version: 2, value: 3, probability: null, anomaly: null },
    ]);
    expect(await explained((view) => findPredictions(view, "p9"))).toEqual([]);
  });

  test("has the features of its example, where there is one", async () => {
    const features = await explained((view) => findFeatures(view, { entity: "b", timeMs: START_MS + 3 }));
    expect(features).toEqual({ from: "example", columns: ["x", "y"], values: [3, 0.5] });
  });

  test("has features computed anew from the messages, where there is none", async () => {
    const at = { entity: "0", timeMs: START_MS + 1185 * MINUTE_MS };
    expect(await explained((view) => findFeatures(view, at))).toEqual({
      ...{ from: "log", columns: ["x", "y"], values: [1185, 592.5] },
    });
    expect(await explained((view) => findFeatures(view, { ...at, timeMs: 5 }))).toBeUndefined();
  });

  test("has no model where the device has gone on", async () => {
    expect(await explained((view) => findVersion(view, 2))).toBeUndefined();
  });
});
