import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCsv } from "../../../../simulator/datasets/csv.js";
import { tempFolder } from "../../../support/temp-folder.js";

const folder = tempFolder();

async function isoTime(text: string): Promise<number | undefined> {
  const readings = await readCsv(folder.write("times.csv", `t,a\n${text},1\n`), {
    source: {
      ...{ kind: "csv", files: "*.csv", skip: 0, columns: undefined, delimiter: ",", missing: [""] },
      ...{ fromMs: undefined, untilMs: undefined },
      ...{ time: { kind: "column", column: "t", unit: "iso" }, fields: {}, entity: undefined, derive: {} },
    },
    ...{ sourceName: "air", fields: ["a"], entity: "one" },
  });
  return readings[0]?.timeMs;
}

// Far from UTC, so that local time shows.
describe("an ISO 8601 time, on a machine in New York,", () => {
  const { TZ } = process.env;
  beforeAll(() => {
    process.env.TZ = "America/New_York";
  });
  afterAll(() => {
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  });

  test("is not what the machine would make of it", () => {
    expect(Date.parse("2015-02-04T17:51:00")).toBe(Date.UTC(2015, 1, 4, 22, 51));
  });

  test.each([
    ["2015-02-04T17:51:00", Date.UTC(2015, 1, 4, 17, 51)],
    ["2015-02-04 17:51:00", Date.UTC(2015, 1, 4, 17, 51)],
    ["2015-02-04 17:51", Date.UTC(2015, 1, 4, 17, 51)],
    ["2015-02-04T17:51:00.250", Date.UTC(2015, 1, 4, 17, 51, 0, 250)],
    ["2015-02-04T17:51:00.250123Z", Date.UTC(2015, 1, 4, 17, 51, 0, 250)],
    ["2015-02-04T17:51:00+01:00", Date.UTC(2015, 1, 4, 16, 51)],
    ["2015-02-04T17:51:00-0530", Date.UTC(2015, 1, 4, 23, 21)],
    ["2015-02-04", Date.UTC(2015, 1, 4)],
    ["2016-02-29", Date.UTC(2016, 1, 29)],
    ["2015-02", Date.UTC(2015, 1)],
  ])("%s is UTC unless it names its zone", async (text, timeMs) => {
    expect(await isoTime(text)).toBe(timeMs);
  });

  test.each(["station 1", "1", "4 Feb 2015", "02/04/2015", "2015-02-30", "2015-13-01", "2015-02-04T25:00Z"])(
    "%s is none",
    async (text) => {
      await expect(isoTime(text)).rejects.toThrow(
        `line 2, column t: expected an ISO 8601 time, got "${text}"`,
      );
    },
  );
});
