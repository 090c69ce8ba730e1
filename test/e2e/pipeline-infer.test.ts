// `headwater pipeline infer`: what it prints passes `headwater plan`, and takes the data it was guessed from.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MAIN } from "../support/program.js";
import { rows } from "../support/survey.js";
import { tempFolder } from "../support/temp-folder.js";

const folder = tempFolder();

function headwater(args: readonly string[], input = "") {
  const options = { encoding: "utf8", input, maxBuffer: 256 * 1024 * 1024 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], options);
  return { status, stdout, stderr };
}

/** Infers a task, plans it and runs it on the same data. */
function bootstrap(data: string, ...runOptions: string[]) {
  const inferred = headwater(["pipeline", "infer", "--data", data, "--task", "first"]);
  expect(inferred).toMatchObject({ status: 0, stderr: "" });
  const task = folder.write("first.yaml", inferred.stdout);
  const plan = headwater(["plan", task, "--json"]);
  expect(plan).toMatchObject({ status: 0, stderr: "" });
  const run = headwater(["pipeline", "run", task, "--data", data, "--json", ...runOptions]);
  expect(run.status).toBe(0);
  const { columns } = JSON.parse(plan.stdout) as { columns: string[] };
  const summary = JSON.parse(run.stderr) as {
    lines: number;
    readings: number;
    rows: number;
    columns: string[];
    examples: { train: number; validation: number };
  };
  expect(summary.columns).toEqual(columns);
  return { yaml: inferred.stdout, ...summary };
}

const START_S = Date.UTC(2026, 0, 1) / 1000;
const wave = (i: number) => Math.round(1000 * (20 + Math.sin(i / 50) + ((i * 7919) % 13) / 50)) / 1000;

test("messages of Zigbee2MQTT, as mosquitto_sub prints them", () => {
  const lines = rows(1200, (i) => {
    const body = { temperature: wave(i), humidity: 2 * wave(i + 9), battery: 97, linkquality: 50 + (i % 40) };
    return `zigbee2mqtt/room ${i % 3}\t${JSON.stringify({ ...body, last_seen: 1000 * (START_S + 10 * i) })}\n`;
  });
  const data = folder.write("zigbee.txt", `zigbee2mqtt/bridge/state\t{"state":"online"}\n${lines.join("")}`);
  const { yaml, rows: made, readings, examples } = bootstrap(data, "--with-topic");
  expect(yaml).toContain('entity: "{tag.name}"');
  expect(readings).toBe(1200);
  expect(made).toBeGreaterThan(1000);
  expect(examples.train).toBeGreaterThan(examples.validation);
  expect(examples.validation).toBeGreaterThan(0);
});

test("messages of Tasmota, with a counter and another kind of message beside them", () => {
  const time = (i: number) => new Date(1000 * (START_S + 30 * i)).toISOString().slice(0, 19);
  const lines = rows(1000, (i) => {
    const energy = { Power: wave(i), Voltage: 230 + (i % 3), Total: Math.round(i * wave(i)) / 100 };
    return [
      `tele/plug${i % 2}/SENSOR ${JSON.stringify({ Time: time(i), ENERGY: energy })}\n`,
      i % 10 === 0
        ? `tele/plug${i % 2}/STATE ${JSON.stringify({ Time: time(i), UptimeSec: i, Heap: 25 })}\n`
        : "",
    ].join("");
  });
  const { yaml, rows: made } = bootstrap(folder.write("tasmota.txt", lines.join("")), "--with-topic");
  expect(yaml).toContain('mqtt: "tele/+/SENSOR"');
  expect(made).toBeGreaterThan(900);
});

test("a CSV file, read from the standard input", () => {
  const lines = [
    "time;room;temp",
    ...rows(500, (i) => `${START_S + 60 * (i >> 1)};${"ab"[i % 2]};${wave(i)}`),
  ];
  const { status, stdout } = headwater(["pipeline", "infer", "--data", "-"], lines.join("\n"));
  expect(status).toBe(0);
  expect(stdout).toContain("500 rows of 2 things");
  expect(stdout).toContain('decode: { csv: { delimiter: ";" } }');
  const task = folder.write("csv.yaml", stdout);
  const run = headwater(["pipeline", "run", task, "--data", folder.write("rooms.csv", lines.join("\n"))]);
  expect(run.stdout.split("\n").length).toBeGreaterThan(450);
});

test("what holds nothing is refused in one line", () => {
  const { status, stdout, stderr } = headwater(["pipeline", "infer", "--data", "-"], "hello\nworld\n");
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(/^no reading was found in -: expected lines of JSON or CSV.*\n$/);
});

const dataFolder = process.env.HEADWATER_DATA ?? "";
const files = {
  "air quality": "beijing-air-quality/PRSA_Data_Dongsi_20130301-20170228.csv.gz",
  turbofan: "cmapss-fd001/train_FD001.txt.gz",
  occupancy: "occupancy/datatraining.txt.gz",
} as const;
const has = (name: keyof typeof files) => existsSync(join(dataFolder, files[name]));

describe.skipIf(!(has("air quality") && has("turbofan") && has("occupancy")))(
  "public data (HEADWATER_DATA)",
  () => {
    test("air quality: a station, an hour apart, a time in pieces that is said to be no time", () => {
      const data = join(dataFolder, files["air quality"]);
      const { yaml, lines, rows: made } = bootstrap(data, "--every", "1h");
      expect(yaml).toContain('entity: "{tag.station}"');
      expect(yaml).toContain("year, month, day, hour are the parts of a time");
      expect(yaml).toContain("resample: { every: 1h");
      expect(lines).toBe(35_064);
      expect(made).toBeGreaterThan(30_000);
    });

    test("turbofan: engines in the first of columns without names, and no time", () => {
      const { yaml, lines, rows: made } = bootstrap(join(dataFolder, files.turbofan));
      expect(yaml).toContain("20631 rows of 100 things");
      expect(yaml).toContain('entity: "{tag.c1}"');
      expect(yaml).toContain("# - c2 counts rows.");
      expect({ lines, made }).toEqual({ lines: 20_631, made: 19_531 });
    });

    test("occupancy: a minute apart, in local time, with one name too few", () => {
      const { yaml, readings, rows: made } = bootstrap(join(dataFolder, files.occupancy));
      expect(yaml).toContain("time: { field: date, unit: local }");
      expect(yaml).toContain("Occupancy: { oneOf: [0, 1], required: true }");
      expect(readings).toBe(8143);
      expect(made).toBeGreaterThan(7000);
    });
  },
);
