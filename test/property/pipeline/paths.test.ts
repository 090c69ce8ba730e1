// One code path: what is live, what is replayed and what is trained on are the same features, to the bit.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WriteBatch } from "../../../device/batched-writes.js";
import { ExampleStore } from "../../../device/examples/store.js";
import { Counters } from "../../../shared/counters.js";
import type { Example, Reading } from "../../../shared/pipeline/types.js";
import { createDisk } from "../../support/device-kit.js";
import { ManualClock } from "../../support/manual-clock.js";
import { type Collected, collect, taskOf } from "../../support/pipeline.js";

const SECOND_MS = 1_000;
const START_MS = Date.UTC(2026, 5, 1);
const DISORDER_MS = 15 * SECOND_MS;

const late = { disorder: "15s", idle: "100d" };
const task = taskOf({
  sources: {
    pump: { late, checks: { x: { min: -50, max: 50, onFail: "clip" } } },
    room: { late },
  },
  steps: {
    clean: {
      from: "pump",
      do: [
        { derive: { power: "x * y" } },
        { hampel: { of: "x", n: 5, k: 3, replace: "median" } },
        { resample: { every: "5s", agg: "time_mean", fill: { hold: "20s" } } },
        { ema: { of: "power", tau: "30s", as: "smooth" } },
      ],
    },
  },
  join: { rows: { left: "clean", asof: { room: { take: ["t"], back: "30s", miss: "mask" } } } },
  features: {
    from: "rows",
    missing: "mask",
    list: [
      { copy: ["x", "smooth", "t"] },
      { lag: { of: "x", by: ["5s", "15s"] } },
      { rolling: { of: "power", over: "30s", get: ["mean", "std", "q90"] } },
      { slope: { of: "x", over: "20s" } },
      { cyclic: "hour" },
    ],
  },
  label: { forecast: { of: "x", ahead: "10s" } },
  rows: { split: { validation: { share: "20%", by: "example" }, gap: "0s" } },
});

const arriving = fc
  .uniqueArray(
    fc.record({
      second: fc.integer({ min: 0, max: 180 }),
      source: fc.constantFrom("pump", "pump", "room"),
      entity: fc.constantFrom("a", "b"),
      value: fc.integer({ min: -60, max: 60 }),
      delayMs: fc.integer({ min: 0, max: DISORDER_MS - 1 }),
    }),
    {
      minLength: 30,
      maxLength: 150,
      selector: ({ second, source, entity }) => `${second} ${source} ${entity}`,
    },
  )
  .map((drawn) =>
    drawn.map(({ second, source, entity, value, delayMs }) => {
      const timeMs = START_MS + second * SECOND_MS;
      const values = { x: value, y: value % 7, t: 20 + value / 10 };
      const reading: Reading = { source, entity, timeMs, values };
      return { reading, arrivalMs: timeMs + delayMs };
    }),
  );

type Arriving = ReturnType<typeof arriving.generate>["value"];

/** As they come, judged by a clock that also ticks in between. */
function live(all: Arriving): Collected {
  const collected = collect(task);
  for (const { reading, arrivalMs } of all.toSorted((a, b) => a.arrivalMs - b.arrivalMs)) {
    collected.pipeline.advance(arrivalMs);
    collected.pipeline.push(reading, arrivalMs);
  }
  collected.pipeline.flush();
  return collected;
}

/** From a file in event time, years later, without a clock. */
function replayed(all: Arriving): Collected {
  const collected = collect(task);
  for (const { reading } of all.toSorted((a, b) => a.reading.timeMs - b.reading.timeMs))
    collected.pipeline.push(reading);
  collected.pipeline.flush();
  return collected;
}

const keyOf = ({ entity, timeMs }: { entity: string; timeMs: number }) => `${entity} ${timeMs}`;
const bitsOf = (features: Uint8Array) => Buffer.from(features).toString("hex");
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

function featuresOf({ features }: Collected): Record<string, string> {
  return Object.fromEntries(features.map((row) => [keyOf(row), bitsOf(bytesOf(row.features))]));
}

/** What training reads, in the order of the examples. */
function stored(examples: readonly Example[]): readonly string[] {
  const { telemetry: database } = createDisk();
  const batch = new WriteBatch(database, new ManualClock());
  const limits = { rows: 10_000, ageMs: undefined };
  const store = new ExampleStore({ database, batch, counters: new Counters(), limits, meaning: "m" });
  for (const example of examples) store.add({ ...example, split: "train" });
  return store.page("train", { afterId: 0 }, 10_000).examples.map(({ features }) => bitsOf(features));
}

describe("the same readings", () => {
  test("give the same features live, in a replay, and in what is trained on", () => {
    fc.assert(
      fc.property(arriving, (all) => {
        const seen = live(all);
        const again = replayed(all);
        expect(seen.counters.get("readings.late")).toBe(0);
        const features = featuresOf(seen);
        expect(featuresOf(again)).toEqual(features);
        const trained = stored(seen.examples);
        expect(trained).toHaveLength(seen.examples.length);
        seen.examples.forEach((example, i) => {
          expect(trained[i]).toBe(features[keyOf(example)]);
        });
      }),
    );
  });

  test("really make features and examples, with every kind of column filled", () => {
    const dense = Array.from({ length: 120 }, (_, second) => ({
      reading: {
        source: second % 3 === 0 ? "room" : "pump",
        entity: "a",
        timeMs: START_MS + second * SECOND_MS,
        values: { x: second % 9, y: second % 7, t: 20 },
      },
      arrivalMs: START_MS + second * SECOND_MS,
    }));
    const { features, examples } = live(dense);
    expect(features.length).toBeGreaterThan(10);
    expect(examples.length).toBeGreaterThan(8);
  });
});
