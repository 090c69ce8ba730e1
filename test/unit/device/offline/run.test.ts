import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { runFiles } from "../../../support/offline.js";
import { tempFolder } from "../../../support/temp-folder.js";

const folder = tempFolder();

const task = (source: string, { entity = "{topic.1}", copy = "a" } = {}) => `task: t
entity: "${entity}"
sources: { s: ${source} }
features: { from: s, list: [{ copy: [${copy}] }], scale: none }
label: none
model: { autoencoder: [1] }
`;
const json = task("{ mqtt: site/+/up }");
const lines = (...values: readonly object[]) =>
  `${values.map((value) => JSON.stringify(value)).join("\n")}\n`;
const brief = ({ features }: Awaited<ReturnType<typeof runFiles>>) =>
  features.map(({ entity, timeMs, features }) => [entity, timeMs / 1000, ...features]);

describe("lines of a file", () => {
  test("are messages on a topic that the file's name completes", async () => {
    const file = folder.write("pump.jsonl", lines({ ts: 1, a: 5 }, { ts: 2, a: 6 }));
    const out = await runFiles(json, [file]);
    expect(brief(out)).toEqual([
      ["pump", 1, 5],
      ["pump", 2, 6],
    ]);
    expect(out.result).toMatchObject({ lines: 2, readings: 2, rows: 2, isCut: false });
  });

  test("are unpacked from .gz, and the last one needs no end", async () => {
    const file = folder.write("packed.jsonl.gz", gzipSync('{"ts":1,"a":5}\r\n{"ts":2,"a":6}'));
    expect((await runFiles(json, [file])).result.rows).toBe(2);
  });

  test("below a header have the columns that it names", async () => {
    const file = folder.write("x.csv", "ts,a\n1,5\n2,NA\n3,7\n");
    const out = await runFiles(task("{ decode: csv }", { entity: "{device}" }), [file]);
    expect(brief(out)).toEqual([
      ["pi", 1, 5],
      ["pi", 3, 7],
    ]);
    expect(out.result.lines).toBe(3);
  });

  test("of a binary format are base64, or hex on demand", async () => {
    const yaml = task("{ decode: cbor, time: arrival }", { entity: "{device}" });
    // RFC 8949: {"a": 5}
    const bytes = Buffer.from("a1616105", "hex");
    const base64 = folder.write("b64.txt", `${bytes.toString("base64")}\n!\n`);
    const hex = folder.write("hex.txt", `${bytes.toString("hex")}\n`);
    const out = await runFiles(yaml, [base64]);
    expect(out.features.map(({ features }) => [...features])).toEqual([[5]]);
    expect(out.counts).toMatchObject({ "telemetry.taken": 1, "telemetry.not-base64": 1 });
    expect((await runFiles(yaml, [hex], { encoding: "hex" })).result.rows).toBe(1);
  });

  test("come a second after each other where arrival is the event time", async () => {
    const file = folder.write("n.txt", "5\n6\n");
    const out = await runFiles(task("{ decode: number, field: a }", { entity: "{device}" }), [file], {
      arrival: { fromMs: 100_000, everyMs: 2000 },
    });
    expect(brief(out)).toEqual([
      ["pi", 100, 5],
      ["pi", 102, 6],
    ]);
  });

  test("that are refused are counted by their reason", async () => {
    const file = folder.write("bad.jsonl", `{\n[1]\n{"ts":"x","a":1}\n{"a":1}\n${"x".repeat(300_000)}\n`);
    expect((await runFiles(json, [file])).counts).toEqual({
      "telemetry.bad-time": 1,
      "telemetry.line-too-long": 1,
      "telemetry.no-object": 1,
      "telemetry.no-time": 1,
      "telemetry.not-json": 1,
    });
  });
});

describe("lines with their topic", () => {
  const two = `task: t
entity: "{topic.1}"
sources:
  a: { mqtt: a/+, late: { disorder: 10s } }
  b: { mqtt: b/+, late: { disorder: 10s } }
join: { both: { left: a, asof: { b: { take: [y], back: 1m } } } }
features: { from: both, list: [{ copy: [x, y] }], scale: none }
label: none
model: { autoencoder: [1] }
`;

  test("go to the sources whose filter they match; others are counted", async () => {
    const file = folder.write(
      "log.txt",
      'a/1 {"ts":10,"x":1}\nb/1 {"ts":10,"y":2}\nc/1 {"ts":10}\nnothing\n',
    );
    const out = await runFiles(two, [{ path: file, source: undefined }], { withTopic: true });
    expect(out.counts).toMatchObject({
      "telemetry.taken": 2,
      "telemetry.other-topic": 1,
      "telemetry.no-topic": 1,
    });
    expect(brief(out)).toEqual([["1", 10, 1, 2]]);
  });
});

describe("several files", () => {
  const first = folder.write("p.jsonl", lines({ ts: 1, a: 1 }, { ts: 30_000, a: 2 }, { ts: 60_000, a: 3 }));
  const second = folder.write("q.jsonl", lines({ ts: 2, a: 4 }, { ts: 29_000, a: 5 }, { ts: 90_000, a: 6 }));

  test("come in the order of event time, so that none is late", async () => {
    const out = await runFiles(json, [first, second]);
    expect(brief(out).map(([, time]) => time)).toEqual([1, 2, 29_000, 30_000, 60_000, 90_000]);
    expect(out.counts["readings.late"]).toBeUndefined();
  });

  test("whose rows are out of order among themselves are late as with a device", async () => {
    const file = folder.write("late.jsonl", lines({ ts: 100, a: 1 }, { ts: 50, a: 2 }));
    expect((await runFiles(json, [file])).counts["readings.late"]).toBe(1);
  });
});

test("a sink that closes ends the run, and the file is let go", async () => {
  const file = folder.write(
    "long.jsonl",
    lines(...Array.from({ length: 2000 }, (_, i) => ({ ts: i, a: i }))),
  );
  let rows = 0;
  const sink = { features: () => void rows++, example: () => undefined, ready: async () => rows < 100 };
  const { result } = await runFiles(json, [file], { sink });
  expect(result.isCut).toBe(true);
  expect(rows).toBeLessThan(1000);
});

test("a file that is not there is named", async () => {
  await expect(runFiles(json, ["/absent.jsonl"])).rejects.toThrow(/cannot open the data: .*absent\.jsonl/);
});
