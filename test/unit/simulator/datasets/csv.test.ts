import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type CsvSource, readCsv, readNumbers } from "../../../../simulator/datasets/csv.js";
import { tempFolder } from "../../../support/temp-folder.js";

const folder = tempFolder();

function source(changes: Partial<CsvSource> = {}): CsvSource {
  return {
    kind: "csv",
    files: "*.csv",
    skip: 0,
    columns: undefined,
    delimiter: ",",
    missing: ["", "NA"],
    time: { kind: "index", column: undefined, stepMs: 1000 },
    fromMs: undefined,
    untilMs: undefined,
    fields: {},
    entity: undefined,
    derive: {},
    ...changes,
  };
}

let files = 0;

function read(
  content: string | Uint8Array,
  {
    fields = ["a"],
    name = `file-${files++}.csv`,
    ...changes
  }: Partial<Omit<CsvSource, "fields">> & {
    readonly fields?: readonly string[];
    readonly columnOf?: Readonly<Record<string, string>>;
    readonly name?: string;
  } = {},
) {
  const { columnOf = {}, ...rest } = changes;
  const path = folder.write(name, content);
  const options = { source: source({ ...rest, fields: columnOf }), sourceName: "air", fields, entity: "one" };
  return readCsv(path, options);
}

describe("a CSV file", () => {
  test("becomes one reading a row, in the file's order, with the fields wanted and no others", async () => {
    const readings = await read("a,b,c\n1,2,3\n4,5,6\n", { fields: ["c", "a"] });
    expect(readings).toEqual([
      { source: "air", entity: "one", timeMs: 0, values: { c: 3, a: 1 } },
      { source: "air", entity: "one", timeMs: 1000, values: { c: 6, a: 4 } },
    ]);
  });

  test("finds columns by their mapping, and whatever upper and lower case", async () => {
    const [reading] = await read("PM2.5,TEMP\n7,8\n", {
      fields: ["pm25", "temp"],
      columnOf: { pm25: "PM2.5" },
    });
    expect(reading?.values).toEqual({ pm25: 7, temp: 8 });
  });

  test("has null where a cell says that there is no value", async () => {
    const readings = await read("a,b\nNA,1\n,2\n 3 ,3\n");
    expect(readings.map(({ values }) => values.a)).toEqual([null, null, 3]);
  });

  test("is read through gzip, quotes, a byte order mark, CRLF and blank lines", async () => {
    const text = '\ufeff"a","b"\r\n1,"x, y"\r\n\r\n2,z\r\n';
    const readings = await read(gzipSync(text), { name: "odd.csv.gz" });
    expect(readings.map(({ values }) => values.a)).toEqual([1, 2]);
  });

  test("takes runs of spaces as one delimiter, also around the row", async () => {
    const readings = await read("1   2 3  \n  4 5    6\n", {
      delimiter: " ",
      columns: ["a", "b", "c"],
      fields: ["a", "b", "c"],
    });
    expect(readings.map(({ values }) => Object.values(values))).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  test("leaves out lines at its top: before the header, or with it when names are given", async () => {
    const preamble = await read("site 7\n\na,b\n1,2\n", { skip: 2 });
    expect(preamble.map(({ values }) => values.a)).toEqual([1]);
    // As R writes it: no name above the row numbers.
    const unnamed = '"a","b"\n"1",5,6\n"2",x,8\n';
    const columns = ["row", "a", "b"];
    await expect(read(unnamed)).rejects.toThrow("line 2: 3 cells, but there are 2 columns");
    await expect(read(unnamed, { skip: 1, columns, name: "r.csv" })).rejects.toThrow(
      'r.csv, line 3, column a: expected a number, got "x"',
    );
    const [first] = await read(unnamed, { skip: 1, columns, fields: ["b"] });
    expect(first?.values).toEqual({ b: 6 });
  });

  test("names entities by a column and counts down the rows each has left", async () => {
    const readings = await read("unit,a\nx,1\ny,2\nx,3\nx,4\ny,5\n", {
      entity: "unit",
      fields: ["a", "rul"],
      derive: { rul: { kind: "rowsLeft" } },
    });
    expect(readings.map(({ entity, values }) => [entity, values.rul])).toEqual([
      ["x", 2],
      ["y", 1],
      ["x", 1],
      ["x", 0],
      ["y", 0],
    ]);
  });
});

describe("event time", () => {
  const timeOf = async (text: string, time: CsvSource["time"]) =>
    (await read(text, { time })).map(({ timeMs }) => timeMs);

  test("comes from calendar columns in UTC, as many as there are", async () => {
    const columns = ["y", "m", "d", "h"];
    const text = "y,m,d,h,a\n2016,2,29,23,1\n2016,3,1,0,1\n";
    expect(await timeOf(text, { kind: "calendar", columns })).toEqual([
      Date.UTC(2016, 1, 29, 23),
      Date.UTC(2016, 2, 1),
    ]);
  });

  test("comes from one column in seconds, milliseconds or ISO 8601", async () => {
    expect(await timeOf("t,a\n1.5,1\n", { kind: "column", column: "t", unit: "s" })).toEqual([1500]);
    expect(await timeOf("t,a\n1500,1\n", { kind: "column", column: "t", unit: "ms" })).toEqual([1500]);
    expect(
      await timeOf("t,a\n1970-01-01T00:00:01.500Z,1\n", { kind: "column", column: "t", unit: "iso" }),
    ).toEqual([1500]);
  });

  test("comes from a counting column times a step", async () => {
    const time = { kind: "index", column: "cycle", stepMs: 60_000 } as const;
    expect(await timeOf("cycle,a\n1,1\n2,1\n", time)).toEqual([60_000, 120_000]);
  });
});

describe("a bad CSV file is refused, naming file, line, column and value:", () => {
  const refused: readonly (readonly [string, string, Parameters<typeof read>[1], RegExp])[] = [
    ["a word for a number", "a,b\n1,2\n\nx7,3\n", {}, /bad\.csv, line 4, .*a: expected a number, got "x7"/],
    ["a word that is not declared as missing", "a\n1\nn/a\n", {}, /line 3, .*got "n\/a"/],
    ["infinity", "a\nInfinity\n", {}, /line 2, .*got "Infinity"/],
    ["an empty cell that means nothing", "a,b\n,1\n", { missing: ["NA"] }, /line 2, .*got ""/],
    ["a column that is not there", "b,c\n1,2\n", {}, /bad\.csv has no column a; it has b, c/],
    ["a row that is too short", "a,b\n1,2\n3\n", {}, /line 3: 1 cells, but there are 2 columns/],
    ["a row that is too long", "a,b\n1,2,3\n", {}, /line 2: 3 cells, but there are 2 columns/],
    ["no rows", "a,b\n", {}, /bad\.csv has no rows/],
    ["nothing", "", {}, /bad\.csv has no rows/],
    ["a quote that never ends", 'a,b\n1,"2\n', {}, /bad\.csv cannot be read: /],
    [
      "a missing time",
      "t,a\nNA,1\n",
      { time: { kind: "column", column: "t", unit: "s" } },
      /line 2, .*t: expected a number, as the time depends on it, got "NA"/,
    ],
    [
      "a time that is none",
      "t,a\nyesterday,1\n",
      { time: { kind: "column", column: "t", unit: "iso" } },
      /line 2, .*t: expected an ISO 8601 time, got "yesterday"/,
    ],
    [
      "the 13th month",
      "y,m,a\n2016,13,1\n",
      { time: { kind: "calendar", columns: ["y", "m"] } },
      /line 2, .*m: expected a whole number from 1 to 12, got "13"/,
    ],
    [
      "30 February",
      "y,m,d,a\n2016,2,30,1\n",
      { time: { kind: "calendar", columns: ["y", "m", "d"] } },
      /line 2, .*d: expected a day from 1 to 29, got "30"/,
    ],
    ["an entity without a name", "unit,a\n,1\n", { entity: "unit" }, /line 2, .*unit: expected a value/],
  ];

  test.each(refused)("%s", async (_, content, options, message) => {
    const reading = read(content, { name: "bad.csv", ...options });
    await expect(reading).rejects.toMatchObject({
      code: "data-invalid",
      message: expect.stringMatching(message),
    });
  });

  test("a truncated archive", async () => {
    const whole = gzipSync(`a,b\n${"1,2\n".repeat(10_000)}`);
    const reading = read(whole.subarray(0, whole.length - 12), { name: "cut.csv.gz" });
    await expect(reading).rejects.toMatchObject({
      code: "data-invalid",
      message: expect.stringMatching(/cut\.csv\.gz cannot be read: unexpected end of file/),
    });
  });

  test("an archive that is none", async () => {
    const reading = read("a,b\n1,2\n", { name: "plain.csv.gz" });
    await expect(reading).rejects.toThrow(/plain\.csv\.gz cannot be read: incorrect header check/);
  });
});

describe("a file of numbers", () => {
  test("is one a line, blank lines and CRLF aside", () => {
    expect(readNumbers(folder.write("numbers.txt", "112 \r\n\n98\n 7.5\n"))).toEqual([112, 98, 7.5]);
  });

  test("is refused with the line of what is no number", () => {
    const path = folder.write("words.txt", "1\n\ntwo\n");
    expect(() => readNumbers(path)).toThrow(/words\.txt, line 3: expected a number, got "two"/);
  });
});
