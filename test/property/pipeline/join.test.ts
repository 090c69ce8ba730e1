// Laws of pipelines with several sources: what comes out depends on event time, not on who was heard first.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeState, encodeState } from "../../../shared/pipeline/state.js";
import type { Reading } from "../../../shared/pipeline/types.js";
import { type Collected, collect, taskOf } from "../../support/pipeline.js";

const SECOND_MS = 1_000;
const DISORDER_MS = 20 * SECOND_MS;

const late = { disorder: "20s", idle: "100d" };
const task = taskOf({
  sources: { vib: { late }, temp: { late }, doors: { late, shared: true } },
  steps: {
    smooth: { from: "temp", do: [{ resample: { every: "10s", agg: "mean", fill: { linear: "30s" } } }] },
  },
  join: {
    warm: { left: "vib", asof: { smooth: { take: ["c"], back: "25s", miss: "mask" } } },
    rows: {
      left: "warm",
      interval: { doors: { get: { open: ["count", "last"] }, before: "15s", after: "5s", miss: "mask" } },
    },
  },
  features: { from: "rows", list: [{ copy: ["x", "open.count"] }, { lag: { of: "x", rows: 1 } }] },
  label: { forecast: { of: "x", ahead: { rows: 2 } } },
});

interface Arriving {
  readonly reading: Reading;
  readonly delayMs: number;
}

const arriving: fc.Arbitrary<readonly Arriving[]> = fc
  .uniqueArray(
    fc.record({
      second: fc.integer({ min: 0, max: 200 }),
      source: fc.constantFrom("vib", "vib", "temp", "doors"),
      entity: fc.constantFrom("a", "b"),
      value: fc.integer({ min: 0, max: 9 }),
      delayMs: fc.integer({ min: 0, max: DISORDER_MS - 1 }),
    }),
    {
      maxLength: 120,
      selector: ({ second, source, entity }) => `${second} ${source} ${source === "doors" ? "" : entity}`,
    },
  )
  .map((drawn) =>
    drawn.map(({ second, source, entity, value, delayMs }) => ({
      reading: {
        source,
        entity,
        timeMs: second * SECOND_MS,
        values: { x: value, c: value, open: value % 2 },
      },
      delayMs,
    })),
  );

function run(readings: readonly Reading[], cutAt = -1): Collected {
  let collected = collect(task);
  readings.forEach((reading, i) => {
    if (i === cutAt) collected = revived(collected);
    collected.pipeline.push(reading);
  });
  collected.pipeline.flush();
  return collected;
}

// The same collection goes on behind a new pipeline that takes up the old one's state.
function revived(before: Collected): Collected {
  const after = collect(task);
  after.pipeline.restore(decodeState(encodeState(before.pipeline.save())));
  after.features.push(...before.features);
  after.examples.push(...before.examples);
  return after;
}

const inEventTime = (all: readonly Arriving[]) =>
  all.map(({ reading }) => reading).toSorted((a, b) => a.timeMs - b.timeMs);

const asTheyArrive = (all: readonly Arriving[]) =>
  all
    .toSorted((a, b) => a.reading.timeMs + a.delayMs - (b.reading.timeMs + b.delayMs))
    .map(({ reading }) => reading);

function outcome({ features, examples }: Collected) {
  const byEntity = <Row extends { entity: string }>(rows: readonly Row[]) =>
    ["a", "b"].map((entity) => rows.filter((row) => row.entity === entity));
  return { features: byEntity(features), examples: byEntity(examples) };
}

describe("a pipeline of several sources", () => {
  test("gives the same for any order of arrival within the disorder", () => {
    fc.assert(
      fc.property(arriving, (all) => {
        // A shared reading finds the entities that are there: both from the start.
        const start = ["a", "b"].map((entity) => ({ source: "vib", entity, timeMs: 0, values: { x: 0 } }));
        const shifted = all.map((each) => ({
          ...each,
          reading: { ...each.reading, timeMs: each.reading.timeMs + 60_000 },
        }));
        expect(outcome(run([...start, ...asTheyArrive(shifted)]))).toEqual(
          outcome(run([...start, ...inEventTime(shifted)])),
        );
      }),
    );
  });

  test("goes on after a kill where it was", () => {
    fc.assert(
      fc.property(arriving, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const readings = asTheyArrive(all);
        const cutAt = Math.floor(share * readings.length);
        expect(outcome(run(readings, cutAt))).toEqual(outcome(run(readings)));
      }),
    );
  });
});
