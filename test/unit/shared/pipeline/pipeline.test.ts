import { describe, expect, test } from "vitest";
import { collect, HOUR_MS, reading, runAll, taskOf } from "../../../support/pipeline.js";

describe("pipeline", () => {
  test("a reading becomes a feature row and an example at once when nothing must wait", () => {
    const { pipeline, features, examples } = collect(taskOf());
    pipeline.push(reading(5, { x: 3 }));
    expect(features).toEqual([{ entity: "a", timeMs: 5, features: new Float32Array([3]), test: false }]);
    expect(examples).toEqual([{ ...features[0], label: 3, persistence: null, split: "train" }]);
  });

  test("a label and a forecast of minus zero are zero, which is what the example store gives back", () => {
    const task = taskOf({ label: { forecast: { of: "x", ahead: "1h" } } });
    const { examples } = runAll(task, [reading(0, { x: -0 }), reading(HOUR_MS, { x: -0 })]);
    expect(examples.map(({ label, persistence }) => ({ label, persistence }))).toEqual([
      { label: 0, persistence: 0 },
    ]);
  });

  test("the second reading of one entity and time is dropped and counted", () => {
    const { counters, features } = runAll(taskOf(), [
      reading(5, { x: 3 }),
      reading(5, { x: 4 }),
      reading(5, { x: 5 }, "b"),
    ]);
    expect(features.map((row) => row.features[0])).toEqual([3, 5]);
    expect(counters.get("readings.duplicate")).toBe(1);
  });

  test("a value that is no sane number is missing, and its row without features is counted", () => {
    const bad = [Number.NaN, Number.POSITIVE_INFINITY, 1e30, "7" as never, new Float32Array(3)];
    const { counters, features } = runAll(
      taskOf(),
      bad.map((x, i) => reading(i, { x })),
    );
    expect(features).toEqual([]);
    expect(counters.toJSON()).toEqual({ "features.missing": 5, "values.bad": 5 });
  });

  test("a vector of the wrong length or with a NaN is missing", () => {
    const task = taskOf({
      sources: { air: { vectors: { v: 3 } } },
      features: { from: "air", list: [{ copy: ["v"] }] },
      label: { field: "y" },
    });
    const { pipeline, counters, features } = runAll(task, [
      reading(0, { v: new Float32Array([1, 2, 3]), y: 0 }),
      reading(1, { v: new Float32Array([1, 2]), y: 0 }),
      reading(2, { v: new Float32Array([1, Number.NaN, 3]), y: 0 }),
      reading(3, { v: 1, y: 0 }),
    ]);
    expect(pipeline.columns).toEqual(["v_0", "v_1", "v_2"]);
    expect(features.map((row) => [...row.features])).toEqual([[1, 2, 3]]);
    expect(counters.get("values.bad")).toBe(3);
  });

  test("impossible times, endless names and unknown sources are refused and counted", () => {
    const { counters, features } = runAll(taskOf(), [
      reading(-1, { x: 1 }),
      reading(0.5, { x: 1 }),
      reading(Number.NaN, { x: 1 }),
      reading(1e15, { x: 1 }),
      reading(1, { x: 1 }, "a".repeat(257)),
      { ...reading(1, { x: 1 }), source: "water" },
    ]);
    expect(features).toEqual([]);
    expect(counters.toJSON()).toEqual({
      "readings.bad-entity": 1,
      "readings.bad-time": 4,
      "readings.unknown-source": 1,
    });
  });

  test("beyond the cap the entity silent for longest is forgotten and counted", () => {
    const task = taskOf({ features: { from: "air", list: [{ lag: { of: "x", rows: 1 } }] } });
    const { pipeline, counters, features } = collect(task, { entities: 2 });
    const push = (timeMs: number, entity: string) => pipeline.push(reading(timeMs, { x: timeMs }, entity));
    push(1, "a");
    push(2, "b");
    push(3, "a");
    push(4, "c"); // forgets b
    push(5, "b"); // forgets a, begins afresh
    push(6, "c");
    expect(counters.get("entities.evicted")).toBe(2);
    expect(features.map(({ entity, timeMs }) => `${entity}${timeMs}`)).toEqual(["a3", "c6"]);
  });

  test("examples are thinned to the first of each stretch of event time, features are not", () => {
    const task = taskOf({ rows: { every: "1h", split: { validation: "0%" } } });
    const readings = Array.from({ length: 10 }, (_, i) => reading(i * 20 * 60_000, { x: i }));
    const { counters, features, examples } = runAll(task, readings);
    expect(features).toHaveLength(10);
    expect(examples.map((example) => example.label)).toEqual([0, 3, 6, 9]);
    expect(counters.get("examples.thinned")).toBe(6);
  });

  test("readings that the data calls test are test examples", () => {
    const task = taskOf({ rows: { split: { test: "given", validation: "50%" } } });
    const { examples } = runAll(
      task,
      [0, 1, 2].map((i) => ({ ...reading(i * 24 * HOUR_MS, { x: i }), test: true })),
    );
    expect(examples.map(({ split }) => split)).toEqual(["test", "test", "test"]);
  });

  test("one entity's data closes the bins of all others, at the very end of the bin", () => {
    const task = taskOf({
      steps: { hourly: { from: "air", do: [{ resample: { every: "1h" } }] } },
      features: { from: "hourly", list: [{ copy: "x" }] },
    });
    const { pipeline, features } = collect(task);
    pipeline.push(reading(1_000, { x: 1 }, "a"));
    pipeline.push(reading(HOUR_MS - 1, { x: 2 }, "b"));
    expect(features).toEqual([]);
    pipeline.push(reading(HOUR_MS, { x: 3 }, "b"));
    expect(features.map(({ entity, timeMs }) => `${entity}${timeMs}`).toSorted()).toEqual(["a0", "b0"]);
  });

  test("an idle source's rows come out by the clock alone", () => {
    const task = taskOf({
      sources: { air: { late: { idle: "10m" } } },
      steps: { hourly: { from: "air", do: [{ resample: { every: "1h" } }] } },
      features: { from: "hourly", list: [{ copy: "x" }] },
    });
    const { pipeline, features } = collect(task);
    pipeline.push(reading(HOUR_MS - 60_000, { x: 1 }), HOUR_MS);
    pipeline.advance(HOUR_MS + 5 * 60_000);
    expect(features).toEqual([]);
    pipeline.advance(HOUR_MS + 10 * 60_000);
    expect(features.map(({ timeMs }) => timeMs)).toEqual([0]);
  });

  test("after the end of data nothing is invented, whatever may be held", () => {
    const task = taskOf({
      steps: { hourly: { from: "air", do: [{ resample: { every: "1h", fill: { hold: "7d" } } }] } },
      features: { from: "hourly", list: [{ copy: "x" }] },
    });
    const { features } = runAll(task, [reading(0, { x: 1 }), reading(3 * HOUR_MS, { x: 2 })]);
    expect(features.map(({ timeMs }) => timeMs / HOUR_MS)).toEqual([0, 1, 2, 3]);
  });

  test("the air-quality protocol: inputs held, but no example without its own and its target's measurement", () => {
    const task = taskOf({
      steps: { hourly: { from: "air", do: [{ resample: { every: "1h", fill: { hold: "7d" } } }] } },
      features: {
        from: "hourly",
        list: [{ copy: ["x", "y"] }, { lag: { of: "x", by: "1h" } }, { observed: "x" }],
      },
      label: { forecast: { of: "x", ahead: "1h" } },
      rows: { split: { validation: "0%", gap: "1h" } },
    });
    const x = [1, 2, null, 4, 5, null, 7, 8];
    const y = [1, null, null, null, null, null, null, null];
    const { counters, examples } = runAll(
      task,
      x.map((value, i) => reading(i * HOUR_MS, { x: value, y: y[i]! })),
    );
    // Hour 0 has no lag, 1 and 4 no measured target, 2 and 5 no measurement, 7 no row after it.
    expect(examples.map(({ timeMs, label }) => [timeMs / HOUR_MS, label])).toEqual([
      [3, 5],
      [6, 8],
    ]);
    expect(examples.map(({ features }) => [...features])).toEqual([
      [4, 1, 2],
      [7, 1, 5],
    ]);
    expect(counters.toJSON()).toEqual({
      "features.unobserved": 2,
      "features.warming-up": 1,
      "labels.filled": 2,
      "labels.no-row": 1,
    });
  });
});
