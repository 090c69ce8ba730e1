import { describe, expect, test } from "vitest";
import type { Survey } from "../../../../device/survey/survey.js";
import { rows, surveyLines } from "../../../support/survey.js";
import { tempFolder } from "../../../support/temp-folder.js";

const folder = tempFolder();
const START_S = Date.UTC(2026, 0, 1) / 1000;
const look = (...args: Parameters<typeof surveyLines> extends [unknown, ...infer Rest] ? Rest : never) =>
  surveyLines(folder, ...args);
const field = ({ fields }: Survey, path: string) => fields.find((each) => each.path === path);
const wave = (i: number) => Math.round(1000 * Math.sin(i / 7)) / 100;

describe("format", () => {
  test.each([
    ["json", ['{"a":1,"t":2}', '{"a":2}'], { format: "json", hasTopics: false }],
    ["json in batches", ['[{"a":1},{"a":2}]'], { format: "json", hasTopics: false }],
    ["json below topics", ['a/b {"x":1}', "a/c\t[1]"], { format: "json", hasTopics: true }],
    ["zigbee2mqtt", ['zigbee2mqtt/Living Room\t{"x":1}'], { format: "zigbee2mqtt", hasTopics: true }],
    [
      "tasmota",
      ['tele/plug/SENSOR {"Time":"2026-01-01T00:00:00","A":{"B":1}}'],
      { format: "tasmota", hasTopics: true },
    ],
    [
      "csv",
      ["time,temp", "1,2"],
      { format: "csv", delimiter: ",", names: "header", columns: ["time", "temp"] },
    ],
    ["csv with semicolons", ["a;b", "1;2,5"], { delimiter: ";", columns: ["a", "b"] }],
    ["csv without names", ["1 2 3", "4 5 6"], { delimiter: " ", names: "none", columns: ["c1", "c2", "c3"] }],
    ["csv with one name too few", ['"a","b"', "1,2,3"], { names: "some", columns: ["row", "a", "b"] }],
    [
      "csv with a column without a name",
      [",c1,c1", "1,2,3"],
      { names: "some", columns: ["c1_", "c1", "c3"] },
    ],
  ])("%s is told by the first lines", async (_, lines, shape) => {
    expect((await look(lines)).shape).toMatchObject(shape);
  });

  test("lines that are neither are refused", async () => {
    await expect(look(["hello", "world"])).rejects.toThrow("no reading was found in");
  });

  test("lines that cannot be read are counted", async () => {
    expect(await look(['{"a":1}', '{"a":2}', '{"a":'])).toMatchObject({ rows: 2, unread: 1 });
  });
});

describe("event time", () => {
  test.each([
    ["s", (i: number) => START_S + i],
    ["ms", (i: number) => 1000 * (START_S + i)],
    ["us", (i: number) => 1e6 * (START_S + i)],
    ["ns", (i: number) => `${START_S + i}000000000`],
    ["iso", (i: number) => new Date(1000 * (START_S + i)).toISOString()],
    ["local", (i: number) => `2026-01-01 00:00:${String(i).padStart(2, "0")}`],
  ])("in %s is told", async (unit, time) => {
    const found = await look(rows(50, (i) => ({ temp: wave(i), ts: time(i) })));
    expect(found.time?.from).toEqual({ kind: "field", path: "ts", unit });
    expect(found.spacing).toMatchObject({ everyMs: 1000, disorderMs: 0, isIrregular: false });
  });

  test("is no large number that neither rises nor is named so", async () => {
    const found = await look(rows(50, (i) => ({ bytes: 1.5e9 + 1000 * wave(i) })));
    expect(found.time).toBeUndefined();
    expect(found.spacing).toBeUndefined();
  });

  test("may be in pieces", async () => {
    const found = await look([
      "year,month,day,hour,x",
      ...rows(48, (i) => `2026,1,${1 + Math.floor(i / 24)},${i % 24},${wave(i)}`),
    ]);
    expect(found.time?.from).toEqual({ kind: "calendar", paths: ["year", "month", "day", "hour"] });
    expect(found.spacing?.everyMs).toBe(3_600_000);
  });

  test("out of order says by how much", async () => {
    const found = await look(rows(50, (i) => ({ ts: START_S + (i % 10 === 5 ? i - 4 : i), a: wave(i) })));
    expect(found.spacing?.disorderMs).toBe(3000);
  });
});

describe("the thing that is measured", () => {
  test("is the level of the topic that varies", async () => {
    const found = await look(rows(40, (i) => `plant/p${i % 4}/up {"ts":${START_S + i},"a":${wave(i)}}`));
    expect(found.entity).toMatchObject({ template: "{topic.1}", filter: "plant/+/up", notes: [] });
    expect(found).toMatchObject({ entities: 4, spacing: { everyMs: 4000 } });
  });

  test("is not the level that tells kinds of messages apart: the commonest kind is looked at", async () => {
    const found = await look(
      rows(60, (i) =>
        i % 3 === 0
          ? `site/p${i % 2}/state {"uptime":${i},"fw":"x"}`
          : `site/p${i % 2}/sensor {"a":${wave(i)}}`,
      ),
    );
    expect(found.entity).toMatchObject({ template: "{topic.1}", filter: "site/+/sensor" });
    expect(found.rows).toBe(40);
    expect(found.entity.notes).toEqual([
      "topics with another level 2 say other things and were not looked at: state",
    ]);
  });

  test("is a field of few values whose name says so", async () => {
    const found = await look(
      rows(60, (i) => ({ ts: START_S + i, machine_id: `m${i % 3}`, mode: "x", a: wave(i) })),
    );
    expect(found).toMatchObject({ entity: { template: "{tag.machine_id}" }, entities: 3 });
  });

  test("is a file where there are several and nothing else tells", async () => {
    const files = ["a", "b"].map((name) =>
      folder.write(`${name}.jsonl`, rows(30, (i) => `{"ts":${START_S + i},"a":${wave(i)}}\n`).join("")),
    );
    const found = await look([], { files });
    expect(found).toMatchObject({ isByFile: true, entities: 2, spacing: { everyMs: 1000, disorderMs: 0 } });
  });

  test("is the device where nothing tells", async () => {
    const found = await look(rows(30, (i) => ({ a: wave(i) })));
    expect(found).toMatchObject({ entity: { template: "{device}" }, entities: 1, isByFile: false });
    expect(found.notes).toHaveLength(1);
  });
});

describe("a field", () => {
  const cases: readonly (readonly [role: string, value: (i: number) => unknown])[] = [
    ["number", wave],
    ["flag", (i) => i % 3 === 0],
    ["flag", (i) => (i % 3 === 0 ? "ON" : "OFF")],
    ["words", (i) => ["auto", "heat", "off"][i % 3]],
    ["counter", (i) => 10 + i * i],
    ["index", (i) => 7 + i],
    ["constant", () => 5],
    ["empty", () => null],
    ["prose", (i) => `message ${i}`],
    ["mixed", (i) => (i % 2 === 0 ? i : "n/a")],
    ["vector", () => [1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ];
  test.each(cases)("is told to be %s", async (role, value) => {
    expect(field(await look(rows(60, (i) => ({ x: value(i) }))), "x")?.role).toBe(role);
  });

  test("that says how the sensor is, is a diagnostic", async () => {
    expect(field(await look(rows(60, (i) => ({ linkquality: wave(i) }))), "linkquality")?.role).toBe(
      "diagnostic",
    );
  });

  test("is known by its path, its share, its range and its quotes", async () => {
    const found = await look(
      rows(100, (i) => (i % 4 === 0 ? { b: 1 } : { DS: { Temp: [String(wave(i))] }, b: 2 })),
    );
    expect(field(found, "DS.Temp[0]")).toMatchObject({ role: "number", present: 0.75, isQuoted: true });
    const range = field(found, "DS.Temp[0]")?.range;
    expect(range?.min).toBeLessThan(-9.9);
    expect(range?.max).toBeGreaterThan(9.9);
  });
});

describe("how much is looked at", () => {
  test("is the time asked for, and a thousand rows at least", async () => {
    const lines = rows(9000, (i) => ({ ts: START_S + i, a: wave(i) }));
    expect((await look(lines, { spanMs: 60_000 })).rows).toBeLessThan(2100);
    expect((await look(lines, { spanMs: 3_600_000 })).rows).toBeGreaterThanOrEqual(3600);
    expect((await look(lines, { spanMs: 3_600_000 })).rows).toBeLessThan(6000);
  });

  test("is at most 256 fields; others are told", async () => {
    const wide = Object.fromEntries(rows(300, (i) => [`f${i}`, i]));
    const found = await look(rows(3, () => wide));
    expect(found.fields).toHaveLength(256);
    expect(found.notes.join()).toContain("f256, f257");
  });
});
