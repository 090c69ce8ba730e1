import { describe, expect, test } from "vitest";
import { parseTask } from "../../../../shared/task/parse.js";
import { rows, starterOf, surveyLines } from "../../../support/survey.js";
import { tempFolder } from "../../../support/temp-folder.js";

const folder = tempFolder();
const START_S = Date.UTC(2026, 0, 1) / 1000;
const wave = (i: number) => Math.round(100 * (20 + Math.sin(i / 7))) / 100;

async function suggest(lines: readonly (string | object)[]) {
  const yaml = starterOf(await surveyLines(folder, lines));
  return { yaml, ...parseTask(yaml) };
}

test("a steady sensor gives a grid, lags, a window and a forecast that fit its spacing", async () => {
  const { task, yaml } = await suggest(
    rows(600, (i) => ({ ts: START_S + 10 * i, temp: wave(i), rssi: -60 - (i % 7) })),
  );
  expect(task.label).toMatchObject({ kind: "forecast", of: "temp", ahead: { ms: 60_000 } });
  expect(task.steps.grid?.do).toMatchObject([{ op: "resample", params: { every: 10_000 } }]);
  expect(task.rows.split).toMatchObject({ gapMs: 180_000, validation: { blockMs: 1_800_000 } });
  expect(yaml).toContain("- copy: [temp]");
  expect(yaml).toContain("- lag: { of: temp, by: [10s, 20s, 30s, 1m] }");
  expect(yaml).toContain("- rolling: { of: temp, over: 2m, get: [mean, std] }");
  expect(yaml).toContain("# - rssi says how the sensor is.");
});

test("checks hold what was seen, with a margin, and cut off what was far away", async () => {
  const { task } = await suggest(rows(1500, (i) => ({ ts: START_S + i, a: i === 700 ? 1e6 : wave(i) })));
  const { min, max, required, stuckMs } = task.sources.readings!.checks.a!;
  expect(min).toBeLessThanOrEqual(19);
  expect(min).toBeGreaterThanOrEqual(10);
  expect(max).toBeGreaterThanOrEqual(21);
  expect(max).toBeLessThan(100);
  expect({ required, stuckMs }).toEqual({ required: true, stuckMs: 20_000 });
});

test("what was never negative may be zero but not less", async () => {
  const { task } = await suggest(rows(100, (i) => ({ ts: START_S + i, a: i % 13 })));
  expect(task.sources.readings!.checks.a!.min).toBe(0);
});

test("words, counters, numbers in quotes and nested fields get what they need", async () => {
  const { task, yaml } = await suggest(
    rows(200, (i) => ({
      ts: START_S + i,
      "Room temp": { C: String(wave(i)) },
      mode: ["auto", "heat", "off"][i % 3],
      kwh: i * i,
    })),
  );
  const source = task.sources.readings!;
  expect(source.text).toEqual({
    mode: { kind: "list", words: ["auto", "heat", "off"] },
    room_temp_c: { kind: "number" },
  });
  expect(source.decode).toMatchObject({ kind: "json", fields: { room_temp_c: "Room temp.C" } });
  expect(source.checks.kwh).toMatchObject({ counter: "reset" });
  expect(yaml).toContain("- onehot: { of: mode, categories: 3 }");
  expect(yaml).toContain("- rate: { of: [kwh], per: 1h, reset: true }");
});

test("without event time everything counts rows", async () => {
  const { task, yaml } = await suggest(rows(100, (i) => ({ a: wave(i) })));
  expect(task.sources.readings!.time).toEqual({ kind: "arrival" });
  expect(task.label).toMatchObject({ ahead: { kind: "rows", rows: 1 } });
  expect(task.rows.split.validation).toMatchObject({ by: "example" });
  expect(yaml).toContain("# No field looks like a time");
});

test("flags alone are forecast as what they are", async () => {
  const { task } = await suggest(rows(100, (i) => ({ ts: START_S + i, open: i % 9 < 4 })));
  expect(task.label).toMatchObject({ kind: "forecast", of: "open" });
  expect(task.model.output).toEqual({ kind: "binary" });
});

describe("a publisher's own format", () => {
  test("zigbee2mqtt names the device by its friendly name", async () => {
    const { task } = await suggest(
      rows(
        200,
        (i) => `zigbee2mqtt/up/room ${i % 2}\t{"last_seen":${1000 * (START_S + i)},"temperature":${wave(i)}}`,
      ),
    );
    expect(task).toMatchObject({ entity: "{tag.name}", sources: { readings: { mqtt: "zigbee2mqtt/#" } } });
    expect(task.sources.readings!.time).toMatchObject({ field: "last_seen", unit: "ms" });
  });

  test("tasmota keeps its local time", async () => {
    const time = (i: number) => new Date(1000 * (START_S + 10 * i)).toISOString().slice(0, 19);
    const { task, yaml } = await suggest(
      rows(200, (i) => `tele/p${i % 2}/SENSOR {"Time":"${time(i)}","ENERGY":{"Power":${wave(i)}}}`),
    );
    expect(task.sources.readings).toMatchObject({
      mqtt: "tele/+/SENSOR",
      decode: { kind: "tasmota", fields: { energy_power: "ENERGY.Power" } },
      time: { field: "Time", unit: "local" },
    });
    expect(task.steps.grid?.do).toMatchObject([{ params: { every: 20_000 } }]);
    expect(yaml).toContain("this machine's zone");
  });
});

test("data in which nothing varies suggests nothing, and says what it is", async () => {
  const found = await surveyLines(
    folder,
    rows(50, () => ({ a: 1, b: "x" })),
  );
  expect(() => starterOf(found)).toThrow("no number or flag varies (a: constant, b: constant)");
});
