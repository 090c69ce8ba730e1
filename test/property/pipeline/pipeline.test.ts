// Laws of the whole pipeline: what comes out depends on the readings, not on how they came.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Reading } from "../../../shared/pipeline/types.js";
import { type Collected, collect, reading, runAll, taskOf } from "../../support/pipeline.js";

const MINUTE_MS = 60_000;
const DISORDER_MS = 30 * MINUTE_MS;

const task = taskOf({
  sources: { air: { late: { disorder: "30m", idle: "1h" } } },
  steps: {
    grid: {
      from: "air",
      do: [{ range: { of: "x", min: -50, max: 50 } }, { resample: { every: "10m", fill: { hold: "30m" } } }],
    },
  },
  features: {
    from: "grid",
    list: [
      { copy: ["x", "y"] },
      { lag: { of: "x", by: ["10m", "30m"] } },
      { rolling: { of: "y", over: "40m", get: ["mean", "std", "max"] } },
      { cyclic: "hour" },
      { observed: "x" },
    ],
  },
  label: { forecast: { of: "x", ahead: "20m" } },
  rows: { split: { validation: { share: "20%", block: "2h" }, gap: "20m" } },
});

const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -60, max: 60 }) },
  fc.constant(null),
  fc.constant(Number.NaN),
);

/** Readings of three entities, at distinct times each, in event time. */
const orderedReadings = fc
  .uniqueArray(
    fc.record({
      minute: fc.integer({ min: 0, max: 600 }),
      entity: fc.constantFrom("a", "b", "c"),
      x: value,
      y: value,
    }),
    { maxLength: 200, selector: ({ minute, entity }) => `${minute} ${entity}` },
  )
  .map((drawn) => drawn.map(({ minute, entity, x, y }) => reading(minute * MINUTE_MS, { x, y }, entity)))
  .map((readings) => readings.toSorted((a, b) => a.timeMs - b.timeMs));

/** The same readings, each delayed by less than the disorder that the source admits. */
const disorderedReadings = orderedReadings.chain((readings) =>
  fc
    .array(fc.integer({ min: 0, max: DISORDER_MS }), {
      minLength: readings.length,
      maxLength: readings.length,
    })
    .map((delays) => ({
      readings,
      arriving: readings
        .map((each, i) => ({ each, arrivalMs: each.timeMs + delays[i]! }))
        .toSorted((a, b) => a.arrivalMs - b.arrivalMs),
    })),
);

function byEntity({ features, examples }: Collected) {
  const key = (row: { entity: string; timeMs: number }) =>
    `${row.entity} ${String(row.timeMs).padStart(9, "0")}`;
  const sorted = <Row extends { entity: string; timeMs: number }>(rows: readonly Row[]) =>
    rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  return { features: sorted(features), examples: sorted(examples) };
}

describe("pipeline", () => {
  test("any order of arrival within the disorder gives the same features and examples", () => {
    fc.assert(
      fc.property(disorderedReadings, ({ readings, arriving }) => {
        const inOrder = runAll(task, readings);
        const shuffled = runAll(
          task,
          arriving.map(({ each }) => each),
        );
        expect(shuffled.counters.get("readings.late")).toBe(0);
        expect(byEntity(shuffled)).toEqual(byEntity(inOrder));
        expect(shuffled.counters.toJSON()).toEqual(inOrder.counters.toJSON());
      }),
    );
  });

  test("live, with a clock that ticks between readings, and a batch of all give the same", () => {
    fc.assert(
      fc.property(disorderedReadings, ({ readings, arriving }) => {
        const live = collect(task);
        for (const { each, arrivalMs } of arriving) {
          // Never idle for an hour: a clock tick alone moves nothing.
          live.pipeline.advance(arrivalMs);
          live.pipeline.push(each, arrivalMs);
        }
        live.pipeline.flush();
        fc.pre(live.counters.get("readings.late") === 0);
        expect(byEntity(live)).toEqual(byEntity(runAll(task, readings)));
      }),
    );
  });

  test("entities do not touch one another", () => {
    fc.assert(
      fc.property(orderedReadings, (readings) => {
        const together = byEntity(runAll(task, readings));
        for (const entity of ["a", "b", "c"]) {
          const own = (row: { entity: string }) => row.entity === entity;
          const alone = byEntity(runAll(task, readings.filter(own)));
          // Others' data moves the watermark on, so held rows may follow an entity's last reading; its own do not change.
          expect(together.features.filter(own).slice(0, alone.features.length)).toEqual(alone.features);
          expect(together.examples.filter(own)).toEqual(alone.examples);
        }
      }),
    );
  });

  test("an entity's features and examples come in strictly rising event time, examples after their features", () => {
    fc.assert(
      fc.property(disorderedReadings, ({ arriving }) => {
        const { features, examples } = runAll(
          task,
          arriving.map(({ each }) => each),
        );
        for (const entity of ["a", "b", "c"]) {
          for (const rows of [features, examples]) {
            const times = rows.filter((row) => row.entity === entity).map(({ timeMs }) => timeMs);
            expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
          }
        }
        const arrays = new Set(features.map((row) => row.features));
        expect(examples.every((example) => arrays.has(example.features))).toBe(true);
      }),
    );
  });

  test("forecast labels and persistence are the measured values at t + ahead and t", () => {
    fc.assert(
      fc.property(orderedReadings, (readings) => {
        const { examples } = runAll(task, readings);
        for (const { entity, timeMs, label, persistence } of examples) {
          expect(label).toBe(lastOf(readings, entity, timeMs + 20 * MINUTE_MS));
          expect(persistence).toBe(lastOf(readings, entity, timeMs));
        }
      }),
    );
  });

  test("every example is finite", () => {
    fc.assert(
      fc.property(orderedReadings, (readings) => {
        const { examples } = runAll(task, readings);
        expect(examples.every(({ label }) => Number.isFinite(label))).toBe(true);
        expect(examples.every(({ features }) => features.every(Number.isFinite))).toBe(true);
      }),
    );
  });

  test("no reading disappears: every one is used, or counted by its reason", () => {
    const anything = fc.record({
      timeMs: fc.oneof(fc.integer({ min: -5, max: 1_000 }), fc.double(), fc.constant(Number.NaN)),
      source: fc.constantFrom("air", "air", "air", "water"),
      x: fc.oneof(fc.double(), fc.constant(null), fc.string(), fc.constant(undefined)),
    });
    const plain = taskOf({ sources: { air: { late: { disorder: "0s" } } } });
    fc.assert(
      fc.property(fc.array(anything), fc.integer({ min: 0, max: 500 }), (drawn, nowMs) => {
        const { pipeline, counters, features } = collect(plain);
        for (const { timeMs, source, x } of drawn) {
          pipeline.push(
            { source, entity: "a", timeMs, values: { x } as unknown as Reading["values"] },
            nowMs,
          );
        }
        pipeline.flush();
        const refused = Object.entries(counters.toJSON())
          .filter(([name]) => name.startsWith("readings.") || name.startsWith("features."))
          .reduce((sum, [, count]) => sum + count, 0);
        expect(features.length + refused).toBe(drawn.length);
      }),
    );
  });
});

// By the task's words: the last sane value within the ten-minute bin.
function lastOf(readings: readonly Reading[], entity: string, binMs: number): number | undefined {
  return readings
    .filter(
      (each) =>
        each.entity === entity && Math.floor(each.timeMs / (10 * MINUTE_MS)) * 10 * MINUTE_MS === binMs,
    )
    .map((each) => each.values.x)
    .filter((x): x is number => typeof x === "number" && Math.abs(x) <= 50)
    .at(-1);
}
