import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseTask } from "../../../../shared/task/parse.js";
import { type LoadOptions, loadFeed } from "../../../../simulator/datasets/load.js";
import { idxFile } from "../../../support/idx-file.js";
import { tempFolder } from "../../../support/temp-folder.js";

const folder = tempFolder();

function load(yaml: string, options: Partial<LoadOptions> = {}) {
  return loadFeed(parseTask(yaml).task, { folder: folder.path, devices: undefined, seed: "1", ...options });
}

function stationTask(simulate: string): string {
  return `task: stations
sources: { air: {} }
features: { from: air, list: [{ copy: [a] }] }
label: { forecast: { of: a, ahead: 1h } }
model: { dense: [] }
simulate:
${simulate.replace(/^/gm, "  ")}`;
}

const stations = stationTask(`dataset: { csv: "station_*.csv", time: { step: 1h } }`);
folder.write("station_b.csv", "a\n1\n2\n");
folder.write("station_a.csv", "a\n3\n4\n5\n");
folder.write("other.csv", "a\n9\n");

describe("a device per file", () => {
  test("is named after the file and holds its rows", async () => {
    const { devices, test: given, pace } = await load(stations);
    expect([...devices.keys()]).toEqual(["station_a", "station_b"]);
    expect([...devices.values()].map((readings) => readings.map(({ values }) => values.a))).toEqual([
      [3, 4, 5],
      [1, 2],
    ]);
    expect({ given, pace }).toEqual({ given: undefined, pace: undefined });
  });

  test("is found in a folder right below the one named", async () => {
    mkdirSync(join(folder.path, "deep"));
    writeFileSync(join(folder.path, "deep", "buried_x.csv"), "a\n1\n");
    const { devices } = await load(stationTask(`dataset: { csv: "buried_*.csv", time: { step: 1h } }`));
    expect([...devices.keys()]).toEqual(["buried_x"]);
  });

  test("shares files out when there are fewer devices than files, in order of event time", async () => {
    const { devices } = await load(stations, { devices: 1 });
    const [readings] = [...devices.values()];
    expect(readings?.map(({ timeMs }) => timeMs / 3_600_000)).toEqual([0, 0, 1, 1, 2]);
    expect(new Set(readings?.map(({ entity }) => entity))).toEqual(new Set(["station_a", "station_b"]));
  });

  test("holds only the rows of the range: its first moment, and not its last", async () => {
    const range = `dataset: { csv: "station_a.csv", time: { step: 1h }, from: 1970-01-01T01:00Z, until: 1970-01-01T02:00Z }`;
    const { devices } = await load(stationTask(range));
    expect([...devices.values()].flat().map(({ timeMs }) => timeMs)).toEqual([3_600_000]);
  });

  test("is refused when none of its rows is in the range, naming the file and the range", async () => {
    const range = `dataset: { csv: "station_*.csv", time: { step: 1h }, from: 1970-01-01T02:00Z }`;
    await expect(load(stationTask(range))).rejects.toThrow(
      /station_b\.csv has no rows at or after 1970-01-01T02:00:00\.000Z .* its first is of 1970-01-01T00:00:00\.000Z/,
    );
  });

  test("is refused when the range is empty", () => {
    const range = `dataset: { csv: "x.csv", time: { step: 1h }, from: 2016-03-01, until: 2016-03-01 }`;
    expect(() => parseTask(stationTask(range))).toThrow('expected a date after "from"');
  });

  test("is refused when two files would have one name", async () => {
    folder.write("twin x.csv", "a\n1\n");
    folder.write("twin-x.csv", "a\n1\n");
    const twins = stationTask(`dataset: { csv: "twin*.csv", time: { step: 1h } }`);
    await expect(load(twins)).rejects.toThrow("two parts of the data are both named twin-x");
  });
});

describe("data that is not there is refused with where it was looked for:", () => {
  test("no folder named", async () => {
    await expect(load(stations, { folder: undefined })).rejects.toMatchObject({
      code: "data-missing",
      message: "station_*.csv: no data folder; name it with --data or HEADWATER_DATA",
    });
  });

  test("a folder that does not exist, or is a file", async () => {
    for (const path of [join(folder.path, "nowhere"), join(folder.path, "other.csv")]) {
      await expect(load(stations, { folder: path })).rejects.toMatchObject({
        code: "data-missing",
        message: `the data folder ${path} is not there`,
      });
    }
  });

  test("no such file", async () => {
    await expect(load(stations.replace("station_", "planet_"))).rejects.toMatchObject({
      code: "data-missing",
      message: `no file matches planet_*.csv in ${folder.path} or a folder right below it`,
    });
  });

  test("more devices than parts", async () => {
    await expect(load(stations, { devices: 3 })).rejects.toMatchObject({
      code: "data-invalid",
      message: "the data has 2 parts, too few for 3 devices",
    });
  });

  test("a fleet of none", async () => {
    await expect(load(stations, { devices: 0 })).rejects.toMatchObject({ code: "task-invalid" });
  });

  test("a task that says nothing of data", async () => {
    await expect(load(stations.slice(0, stations.indexOf("simulate")))).rejects.toMatchObject({
      code: "task-invalid",
      message: expect.stringContaining('stations has no "simulate" section'),
    });
  });
});

const engines = `task: engines
sources: { engine: {} }
features: { from: engine, list: [{ copy: [s] }] }
label: { field: rul }
rows: { split: { test: given } }
model: { dense: [] }
simulate:
  dataset:
    csv: train.txt
    delimiter: " "
    columns: [unit, cycle, s]
    time: { index: cycle, step: 1h }
    entity: unit
    device: entity
    derive: { rul: rowsLeft }
  devices: 2
  test: { files: test.txt, labels: rul.txt, take: last }
`;
folder.write("train.txt", "1 1 10\n1 2 11\n2 1 20\n3 1 30\n");
folder.write("test.txt", "7 1 70\n7 2 71\n8 1 80\n");

describe("entities", () => {
  test("stay whole when they are dealt to devices", async () => {
    folder.write("rul.txt", "100\n50\n");
    const { devices } = await load(engines);
    expect([...devices.keys()]).toEqual(["device-1", "device-2"]);
    const held = [...devices.values()].map((readings) => [...new Set(readings.map(({ entity }) => entity))]);
    expect(held).toEqual([["1", "3"], ["2"]]);
  });

  test("of a given test set get the label of their last row, and earlier rows as much more as rows follow", async () => {
    folder.write("rul.txt", "100\n50\n");
    const { test: given } = await load(engines);
    const found = given?.map(({ entity, timeMs, values, test }) => [
      entity,
      timeMs / 3_600_000,
      values.rul,
      test,
    ]);
    expect(found).toEqual([
      ["7", 1, 101, true],
      ["8", 1, 50, true],
      ["7", 2, 100, true],
    ]);
  });

  test("without as many labels as there are of them are refused", async () => {
    folder.write("rul.txt", "100\n50\n20\n");
    await expect(load(engines)).rejects.toThrow(/rul\.txt has 3 labels for 2 entities of test\.txt/);
  });
});

describe("images", () => {
  const digits = (device: string) => `task: digits
sources: { digits: { vectors: { pixels: 2 } } }
features: { from: digits, list: [{ copy: [pixels] }], scale: { constant: { divide: 255 } } }
label: { field: digit }
model: { dense: [], output: { classification: 4 } }
simulate:
  dataset: { idx: { images: images, labels: labels }, device: ${device} }
  devices: 4
`;
  const count = 40;
  const classes = Array.from({ length: count }, (_, index) => index % 4);
  folder.write(
    "images",
    idxFile(
      [count, 2],
      classes.flatMap((label, index) => [index, label]),
    ),
  );
  folder.write("labels", idxFile([count], classes));

  test.each(["iid", "{ shards: 2 }", "{ dirichlet: 0.5 }"])("are dealt once each (%s)", async (device) => {
    const { devices } = await load(digits(device));
    const all = [...devices.values()].flat().map(({ values }) => (values.pixels as Float32Array)[0]!);
    expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
  });

  test("in one shard a device are of one class", async () => {
    const { devices } = await load(digits("{ shards: 1 }"));
    const known = [...devices.values()].map(
      (readings) => new Set(readings.map(({ values }) => values.digit)),
    );
    expect(known.map(({ size }) => size)).toEqual([1, 1, 1, 1]);
  });

  test("are too few for more shards than images", async () => {
    await expect(load(digits("{ shards: 11 }"))).rejects.toThrow(
      "40 readings cannot be dealt to 4 devices (shards needs 44)",
    );
  });
});

describe("a generator", () => {
  const pumps = (rest: string) => stationTask(`generator: ${rest}`).replaceAll("air", "pump");

  test("gives every device its own telemetry, at a pace", async () => {
    const { devices, pace } = await load(pumps("pumps\ndevices: 2\nwith: { days: 1, history: 0.5 }"));
    expect([...devices.keys()]).toEqual(["pump-1", "pump-2"]);
    expect(pace).toEqual({ fromMs: Date.UTC(2026, 0, 1, 12), speed: 21_600 });
  });

  test("of an unknown name is refused with the nearest one", async () => {
    await expect(load(pumps("pomps"))).rejects.toMatchObject({
      code: "task-invalid",
      message: expect.stringMatching(/unknown generator "pomps".*pumps/),
    });
  });

  test("refuses parameters it does not know or that are out of bounds", async () => {
    await expect(load(pumps("pumps\nwith: { days: 0, dys: 2 }"))).rejects.toMatchObject({
      code: "task-invalid",
      message: expect.stringMatching(/generator pumps: .*simulate\.with\.days: .*dys/),
    });
  });
});
