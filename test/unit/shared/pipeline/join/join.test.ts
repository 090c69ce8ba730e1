import { describe, expect, test } from "vitest";
import { layOut, layoutProblems } from "../../../../../shared/pipeline/layout.js";
import type { Reading } from "../../../../../shared/pipeline/types.js";
import type { Task } from "../../../../../shared/task/task.js";
import { type Collected, collect, taskOf } from "../../../../support/pipeline.js";

const SECOND_MS = 1_000;

function reading(source: string, seconds: number, values: Reading["values"], entity = "p1"): Reading {
  return { source, entity, timeMs: seconds * SECOND_MS, values };
}

/** Vibration every second, joined with a temperature now and then. */
function joined(right: object, kind: "asof" | "interval" = "asof", sources: object = {}): Task {
  const added = kind === "asof" ? ["c"] : ["c.count", "c.mean"];
  return taskOf({
    sources: { vib: {}, temp: {}, ...sources },
    join: { rows: { left: "vib", [kind]: { temp: right } } },
    features: { from: "rows", list: [{ copy: ["x", ...added] }] },
  });
}

function run(task: Task, readings: readonly Reading[]): Collected {
  const collected = collect(task);
  for (const each of readings) collected.pipeline.push(each);
  collected.pipeline.flush();
  return collected;
}

const rowsOf = ({ features }: Collected) =>
  features.map(({ timeMs, features }) => [timeMs / SECOND_MS, ...features]);

describe("as-of join", () => {
  const readings = [
    reading("vib", 1, { x: 10 }),
    reading("temp", 2, { c: 20 }),
    reading("vib", 2, { x: 11 }),
    reading("vib", 3, { x: 12 }),
    reading("temp", 4, { c: 21 }),
    reading("vib", 9, { x: 13 }),
    reading("vib", 10, { x: 14 }),
  ];

  test("takes the newest row at or before the left one's time, that time included", () => {
    const { counters, ...rest } = run(joined({ take: ["c"], back: "5s" }), readings);
    expect(rowsOf({ counters, ...rest })).toEqual([
      [2, 11, 20],
      [3, 12, 20],
      [9, 13, 21],
    ]);
    expect(counters.get("join.missed")).toBe(2);
  });

  test("without such a row it holds the last known, or leaves the value missing", () => {
    expect(rowsOf(run(joined({ take: ["c"], back: "5s", miss: "hold" }), readings)).at(-1)).toEqual([
      10, 14, 21,
    ]);
    const masked = run(joined({ take: ["c"], back: "5s", miss: "mask" }), readings);
    expect(masked.counters.get("features.missing")).toBe(2);
    expect(masked.counters.get("join.missed")).toBe(0);
  });

  test("a row waits until the other side has come past it, and no longer", () => {
    const { pipeline, ...rest } = collect(joined({ take: ["c"], back: "5s" }));
    for (const each of readings.slice(0, 3)) pipeline.push(each);
    expect(rowsOf({ pipeline, ...rest })).toEqual([]);
    pipeline.push(reading("temp", 3, { c: 22 }));
    pipeline.push(reading("vib", 3, { x: 12 }));
    expect(rowsOf({ pipeline, ...rest })).toEqual([[2, 11, 20]]);
  });

  test("a side that says nothing holds the other back only until it is idle", () => {
    const task = joined({ take: ["c"], back: "5s", miss: "mask" }, "asof", {
      temp: { late: { idle: "2s" } },
    });
    const { pipeline, counters } = collect(task);
    const nowMs = Date.UTC(2026, 5, 1);
    const live = (seconds: number) => reading("vib", nowMs / SECOND_MS + seconds, { x: seconds });
    pipeline.push(live(0), nowMs);
    pipeline.push(live(1), nowMs + 1_000);
    expect(counters.get("features.missing")).toBe(0);
    pipeline.push(live(3), nowMs + 3_000);
    expect(counters.get("features.missing")).toBe(2);
  });

  test("takes fields under new names", () => {
    const task = taskOf({
      sources: { vib: {}, temp: {} },
      join: { rows: { left: "vib", asof: { temp: { take: { t: "x" }, back: "5s" } } } },
      features: { from: "rows", list: [{ copy: ["x", "t"] }] },
    });
    const readings = [reading("temp", 1, { x: 5 }), reading("vib", 1, { x: 6 })];
    expect(rowsOf(run(task, readings))).toEqual([[1, 6, 5]]);
  });

  test("of forecasts it takes what was known by then, for the time asked for, made last", () => {
    const task = joined({ take: ["c"], back: "10s", valid: "for", ahead: "100s" });
    const forecast = (known: number, valid: number, c: number) => reading("temp", known, { c, for: valid });
    const out = run(task, [
      forecast(1, 105, 1), // for 105, known at 1
      forecast(4, 105, 2), // the same, made later
      forecast(6, 110, 3),
      reading("vib", 3, { x: 0 }), // asks for 103: nothing is for 93..103
      reading("vib", 5, { x: 0 }), // asks for 105
      reading("vib", 7, { x: 0 }), // asks for 107
      reading("vib", 10, { x: 0 }), // asks for 110
    ]);
    expect(rowsOf(out)).toEqual([
      [5, 0, 2],
      [7, 0, 2],
      [10, 0, 3],
    ]);
  });
});

describe("interval join", () => {
  test("gives statistics of the rows around, both ends included, once none can come any more", () => {
    const task = joined({ get: { c: ["count", "mean"] }, before: "2s", after: "1s" }, "interval");
    const out = run(task, [
      reading("temp", 1, { c: 4 }),
      reading("temp", 2, { c: 6 }),
      reading("vib", 3, { x: 0 }),
      reading("temp", 4, { c: 8 }),
      reading("temp", 5, { c: 100 }),
      reading("vib", 9, { x: 0 }),
    ]);
    expect(rowsOf(out)).toEqual([[3, 0, 3, 6]]);
    expect(out.counters.get("join.missed")).toBe(1);
  });
});

describe("a shared source", () => {
  test("is about every entity, also those that come later", () => {
    const task = joined({ take: ["c"], back: "60s" }, "asof", { temp: { shared: true } });
    const { features } = run(task, [
      reading("temp", 1, { c: 20 }, "site"),
      reading("vib", 2, { x: 1 }, "p1"),
      reading("vib", 2, { x: 2 }, "p2"),
      reading("temp", 3, { c: 21 }, "site"),
      reading("vib", 4, { x: 3 }, "p1"),
      reading("vib", 4, { x: 4 }, "p3"),
    ]);
    expect(features.map(({ entity, features }) => [entity, ...features])).toEqual([
      ["p1", 1, 20],
      ["p2", 2, 20],
      ["p1", 3, 21],
      ["p3", 4, 21],
    ]);
  });
});

describe("layout of joins", () => {
  test("each side brings what is read of it, after its own steps", () => {
    const task = taskOf({
      sources: { vib: {}, temp: {} },
      steps: { smooth: { from: "temp", do: [{ resample: { every: "10s", agg: "mean" } }] } },
      join: { rows: { left: "vib", asof: { smooth: { take: ["c"], back: "1m" } } } },
      features: { from: "rows", list: [{ copy: ["x", "c"] }] },
    });
    expect(layoutProblems(task)).toEqual([]);
    expect(layOut(task).sources).toEqual([
      { name: "vib", fields: [{ name: "x", length: 1 }] },
      { name: "temp", fields: [{ name: "c", length: 1 }] },
    ]);
  });

  test("a field that is there already is a problem, told with the way out", () => {
    const task = taskOf({
      sources: { vib: {}, temp: {} },
      steps: { a: { from: "vib", do: [{ window: { over: "1m", get: { x: ["mean"] } } }] } },
      join: { rows: { left: "a", asof: { temp: { take: ["x.mean"], back: "1m" } } } },
      features: { from: "rows", list: [{ copy: "x.mean" }] },
      label: { field: "x.mean" },
    });
    expect(layoutProblems(task).map(({ message }) => message)).toEqual([
      'a field "x.mean" is there already: take it under another name, such as {take: {temp_x.mean: x.mean}}',
    ]);
  });
});
