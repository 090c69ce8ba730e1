// Late readings that still count: in the end the same has come out as if all had come in time.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeState, encodeState } from "../../../shared/pipeline/state.js";
import type { FeatureRow, Reading } from "../../../shared/pipeline/types.js";
import { type Collected, collect, reading, taskOf } from "../../support/pipeline.js";

const SECOND_MS = 1_000;

// biome-ignore lint/suspicious/noThenProperty: the policy's own word; the value is never awaited.
const late = { disorder: "10s", then: "update", allowed: "10m", idle: "100d" };
const task = taskOf({
  sources: { air: { late } },
  steps: { grid: { from: "air", do: [{ resample: { every: "10s", agg: "mean", fill: { hold: "30s" } } }] } },
  features: {
    from: "grid",
    list: [
      { copy: "x" },
      { rolling: { of: "x", over: "40s", get: ["mean", "max"] } },
      { lag: { of: "x", rows: 2 } },
    ],
  },
  label: { forecast: { of: "x", ahead: "20s" } },
});

/** Readings of ten minutes, each delayed by up to five: far more than the disorder admits. */
const arriving = fc
  .uniqueArray(
    fc.record({
      second: fc.integer({ min: 0, max: 600 }),
      entity: fc.constantFrom("a", "b"),
      x: fc.integer({ min: 0, max: 99 }),
      delay: fc.integer({ min: 0, max: 300 }),
    }),
    { minLength: 20, maxLength: 150, selector: ({ second, entity }) => `${second} ${entity}` },
  )
  .map((drawn) =>
    drawn
      .toSorted((a, b) => a.second + a.delay - (b.second + b.delay))
      .map(({ second, entity, x }) => reading(second * SECOND_MS, { x }, entity)),
  );

function run(readings: readonly Reading[], cutAt = -1): Collected {
  let collected = collect(task);
  // Both entities speak first, as on a device that has been on for a while.
  for (const entity of ["a", "b"]) collected.pipeline.push(reading(-0, { x: 1 }, entity));
  readings.forEach((each, i) => {
    if (i === cutAt) {
      const after = collect(task);
      after.pipeline.restore(decodeState(encodeState(collected.pipeline.save())));
      after.features.push(...collected.features);
      after.examples.push(...collected.examples);
      for (const [name, count] of Object.entries(collected.counters.toJSON()))
        after.counters.add(name, count);
      collected = after;
    }
    collected.pipeline.push({ ...each, timeMs: each.timeMs + 1 });
  });
  collected.pipeline.flush();
  return collected;
}

/** What stands in the end: of each row its last revision. */
function latest<Row extends FeatureRow>(rows: readonly Row[], read: (row: Row) => unknown) {
  const standing = new Map<string, { readonly revision: number; readonly value: unknown }>();
  for (const row of rows) {
    const key = `${row.entity} ${row.timeMs}`;
    const { revision = 0 } = row;
    const before = standing.get(key);
    // A later word on a row carries the next number, and none is said twice.
    expect(revision).toBe(before === undefined ? 0 : before.revision + 1);
    standing.set(key, { revision, value: read(row) });
  }
  return Object.fromEntries([...standing].map(([key, { value }]) => [key, value]));
}

const outcome = ({ features, examples }: Collected) => ({
  features: latest(features, (row) => [...row.features]),
  examples: latest(examples, ({ features, label }) => [...features, label]),
});

const inEventTime = (readings: readonly Reading[]) => readings.toSorted((a, b) => a.timeMs - b.timeMs);

describe("late readings with the policy update", () => {
  test("change what they would have changed in time, and nothing else", () => {
    fc.assert(
      fc.property(arriving, (readings) => {
        const revised = run(readings);
        expect(revised.counters.get("readings.late")).toBe(0);
        expect(revised.counters.get("revisions.vanished")).toBe(0);
        expect(outcome(revised)).toEqual(outcome(run(inEventTime(readings))));
      }),
    );
  });

  test("also with a kill in between", () => {
    fc.assert(
      fc.property(arriving, fc.double({ min: 0, max: 1, noNaN: true }), (readings, share) => {
        const revived = run(readings, Math.floor(share * readings.length));
        expect(outcome(revived)).toEqual(outcome(run(inEventTime(readings))));
      }),
    );
  });

  test("beyond what is allowed they are late after all, and twice is once", () => {
    const { pipeline, counters, features } = collect(task);
    for (let second = 0; second <= 3_600; second += 10) pipeline.push(reading(second * SECOND_MS, { x: 1 }));
    const before = features.length;
    pipeline.push(reading(60 * SECOND_MS + 1, { x: 50 }));
    expect(counters.get("readings.late")).toBe(1);
    pipeline.push(reading(3_500 * SECOND_MS + 1, { x: 50 }));
    pipeline.push(reading(3_500 * SECOND_MS + 1, { x: 50 }));
    expect(counters.get("readings.duplicate")).toBe(1);
    pipeline.flush();
    const revised = features.slice(before).filter(({ revision }) => revision !== undefined);
    // The mean of 1 and 50 in its own bin, and what looks back at it.
    expect(revised[0]).toMatchObject({ timeMs: 3_500 * SECOND_MS, revision: 1 });
    expect(revised[0]!.features[0]).toBe(25.5);
  });

  test("a hundred thousand late readings cost few revisions, and memory is bounded", () => {
    const { pipeline, counters } = collect(task);
    for (let second = 0; second <= 3_600; second += 10) pipeline.push(reading(second * SECOND_MS, { x: 1 }));
    for (let i = 0; i < 100_000; i++)
      pipeline.push(reading(3_100 * SECOND_MS + 1 + ((i * 7_919) % 480_000), { x: 2 }));
    pipeline.flush();
    const taken = counters.get("revisions.late-rows");
    expect(taken + counters.get("readings.late") + counters.get("readings.duplicate")).toBe(100_000);
    // What is remembered for revisions is bounded: most of them find no place any more.
    expect(taken).toBeGreaterThan(20_000);
  });
});
