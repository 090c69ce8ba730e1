// A meter's register becomes power on a grid, and that a forecast: operators on numbers, end to end from the task file.

import { describe, expect, test } from "vitest";
import { layOut } from "../../../../shared/pipeline/layout.js";
import { planPipeline } from "../../../../shared/pipeline/plan.js";
import type { Reading } from "../../../../shared/pipeline/types.js";
import { parseTask } from "../../../../shared/task/parse.js";
import { HOUR_MS, runAll } from "../../../support/pipeline.js";

const yaml = `
task: site-load
sources:
  meter: { time: { field: ts, unit: s }, late: { disorder: 30s } }
steps:
  load:
    from: meter
    do:
      - rate: { of: kwh, per: 1h, reset: true, max: 50, as: kw }
      - resample: { every: 15m, agg: time_mean, fill: { hold: 30m }, minCover: 50% }
      - clip: { of: kw, min: 0, max: 20 }
      - derive: { surplus: "if(kw > 3, kw - 3, 0)" }
features:
  from: load
  list:
    - copy: [kw, surplus]
    - lag: { of: kw, rows: [1, 2] }
    - diff: { of: kw, rows: 1 }
    - rolling: { of: kw, over: 1h, get: [mean, q95] }
    - ema: { of: kw, tau: 2h }
    - cyclic: { of: time, get: [hour, dow], zone: Europe/Berlin }
    - flag: { calendar: [weekend], zone: Europe/Berlin }
  missing: mask
label: { forecast: { of: kw, ahead: 1h } }
rows: { split: { validation: 0% } }
model: { dense: [4], output: regression }
`;

const START_MS = Date.UTC(2026, 5, 1);
const STEP_MS = 5 * 60_000;

/** A register that counts 2 kW, then 5 kW; it is replaced by one that begins at 0, and silent for two hours. */
const readings = Array.from({ length: 12 * 24 }, (_, i): Reading => {
  const hours = i / 12;
  const counted = 2 * Math.min(hours, 10) + 5 * Math.max(0, hours - 10);
  const kwh = hours < 5 ? 1_000 + counted : counted - 10;
  return { source: "meter", entity: "site", timeMs: START_MS + i * STEP_MS, values: { kwh } };
}).filter(({ timeMs }) => timeMs <= START_MS + 12 * HOUR_MS || timeMs >= START_MS + 14 * HOUR_MS);

describe("a meter's register", () => {
  const { task } = parseTask(yaml);
  const { features, examples, counters } = runAll(task, readings);
  const { columns } = layOut(task);
  const at = (hours: number, name: string) =>
    features.find(({ timeMs }) => timeMs === START_MS + hours * HOUR_MS)?.features[columns.indexOf(name)];

  test("names its columns, indicators last", () => {
    const values = [
      ...["kw", "surplus", "kw.lag_1", "kw.lag_2", "kw.diff_1", "kw.rolling_mean_1h", "kw.rolling_q95_1h"],
      ...["kw.ema_2h"],
    ];
    expect(columns).toEqual([
      ...values,
      ...["hour_sin", "hour_cos", "dow_sin", "dow_cos", "weekend"],
      ...values.map((name) => `${name}_missing`),
    ]);
  });

  test("becomes the power that was drawn, through a change of meters", () => {
    // What the old meter counted after its last reading nobody knows: the quarter from 5:00 on has less.
    for (const hours of [2, 4, 4.75, 5.25, 6, 9]) expect(at(hours, "kw")).toBeCloseTo(2, 5);
    for (const hours of [11, 15, 20]) {
      expect(at(hours, "kw")).toBeCloseTo(5, 5);
      expect(at(hours, "surplus")).toBeCloseTo(2, 5);
    }
    // A rate is known at the end of its five minutes: a third of the quarter from 10:00 on still has the old one.
    expect([at(10, "kw.diff_1"), at(10.25, "kw.diff_1")].map((kw) => Math.round(Number(kw)))).toEqual([2, 1]);
    expect(counters.get("rate.resets")).toBe(1);
  });

  test("leaves gaps open that are longer than a value may hold", () => {
    // Held for half an hour, and known again by the first change after the gap.
    expect(at(12.5, "kw")).toBeUndefined();
    expect(at(14, "kw")).toBeCloseTo(5, 5);
    for (const { features: row } of features) expect(row.every(Number.isFinite)).toBe(true);
  });

  test("learns from measured labels only, and says beforehand what it costs", () => {
    expect(examples.length).toBeGreaterThan(60);
    const { warmUp, parts } = planPipeline(task);
    expect(warmUp.ms).toBeGreaterThanOrEqual(HOUR_MS);
    expect(parts.map(({ name }) => name)).toContain("derive");
  });
});
