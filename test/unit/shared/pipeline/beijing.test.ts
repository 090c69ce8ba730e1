// The pipeline over real telemetry with real gaps: UCI 501, twelve stations in Beijing, hourly for four years.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { beforeAll, describe, expect, test } from "vitest";
import type { Example, Reading } from "../../../../shared/pipeline/types.js";
import { runAll, taskOf } from "../../../support/pipeline.js";

const folder = join(process.env.HEADWATER_DATA ?? "", "beijing-air-quality");
const isAbsent = process.env.HEADWATER_DATA === undefined || !existsSync(folder);

const columns = {
  pm25: "PM2.5",
  pm10: "PM10",
  so2: "SO2",
  no2: "NO2",
  co: "CO",
  o3: "O3",
  temp: "TEMP",
  pres: "PRES",
  dewp: "DEWP",
  rain: "RAIN",
  wspm: "WSPM",
};

const task = taskOf({
  sources: { air: { late: { disorder: "2h" } } },
  // The published protocol fills without end; the longest gap that matters here is shorter than 90 days.
  steps: { hourly: { from: "air", do: [{ resample: { every: "1h", fill: { hold: "90d" } } }] } },
  features: {
    from: "hourly",
    list: [
      { copy: Object.keys(columns) },
      { lag: { of: "pm25", by: ["1h", "2h", "3h", "6h", "12h", "24h"] } },
      { cyclic: "hour" },
      { observed: "pm25" },
    ],
  },
  label: { forecast: { of: "pm25", ahead: "1h" } },
  rows: { split: { test: { from: "2016-03-01" }, validation: "0%", gap: "1h" } },
});

describe.skipIf(isAbsent)("Beijing air quality (set HEADWATER_DATA to the folder that holds it)", () => {
  let stations: Reading[][] = [];
  let examples: Example[] = [];

  beforeAll(() => {
    stations = readdirSync(folder).filter(isStation).toSorted().map(readStation);
    examples = stations.flatMap((readings) => runAll(task, readings).examples);
  });

  test("gives the protocol's examples: 307,344 train and 101,836 test rows but for warm-up and borders", () => {
    const count = (split: string) => examples.filter((example) => example.split === split).length;
    // Each of 12 stations loses up to 24 rows of warm-up, and one at the border to the test set.
    expect(307_344 - count("train")).toBeGreaterThanOrEqual(0);
    expect(307_344 - count("train")).toBeLessThanOrEqual(12 * 25);
    expect(Math.abs(101_836 - count("test"))).toBeLessThanOrEqual(12);
  });

  test("persistence over the test rows errs by the published 19.44", () => {
    const errors = examples
      .filter((example) => example.split === "test")
      .map(({ label, persistence }) => (label - persistence!) ** 2);
    const rmse = Math.sqrt(errors.reduce((sum, error) => sum + error, 0) / errors.length);
    expect(rmse).toBeCloseTo(19.44, 2);
  });
});

function isStation(name: string): boolean {
  return name.startsWith("PRSA_Data_") && name.endsWith(".csv.gz");
}

function readStation(name: string): Reading[] {
  const text = gunzipSync(readFileSync(join(folder, name))).toString("utf8");
  const rows: Record<string, string>[] = parse(text, { columns: true });
  return rows.map((row) => ({
    source: "air",
    entity: row.station!,
    timeMs: Date.UTC(Number(row.year), Number(row.month) - 1, Number(row.day), Number(row.hour)),
    values: Object.fromEntries(
      Object.entries(columns).map(([field, column]) => [
        field,
        row[column] === "NA" ? null : Number(row[column]),
      ]),
    ),
  }));
}
