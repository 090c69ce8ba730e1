import fc from "fast-check";
import { expect, test } from "vitest";
import { WriteBatch } from "../../../../device/batched-writes.js";
import { ExampleStore, storeLimits } from "../../../../device/examples/store.js";
import { Counters } from "../../../../shared/counters.js";
import type { Example, Split } from "../../../../shared/pipeline/types.js";
import type { Database } from "../../../../shared/storage/port.js";
import { createDisk } from "../../../support/device-kit.js";
import { ManualClock } from "../../../support/manual-clock.js";

function example(timeMs: number, split: Split = "train", width = 2): Example {
  const features = new Float32Array(width).fill(timeMs);
  return { entity: "pump", timeMs, features, test: false, label: timeMs, persistence: null, split };
}

function openStore(
  options: {
    readonly rows?: number;
    readonly ageMs?: number;
    readonly database?: Database;
    readonly meaning?: string;
  } = {},
) {
  const { rows = 1000, ageMs, database = createDisk().telemetry, meaning = "m" } = options;
  const clock = new ManualClock();
  const counters = new Counters();
  const batch = new WriteBatch(database, clock);
  const store = new ExampleStore({ database, batch, counters, limits: { rows, ageMs }, meaning });
  return { store, clock, counters, database };
}

function times({ store }: { readonly store: ExampleStore }, split: Split = "train"): number[] {
  return store.page(split, { afterId: 0 }, 1_000_000).examples.map(({ label }) => label);
}

test("what goes in comes out: in order, by split, to the last bit", () => {
  const opened = openStore();
  const features = Float32Array.of(0.1, -3e38);
  opened.store.add({ ...example(1, "validation"), features, persistence: 0.5 });
  opened.store.add(example(2, "test"));
  const { examples } = opened.store.page("validation", { afterId: 0 }, 10);
  expect(examples).toEqual([
    { label: 1, persistence: 0.5, features: Buffer.from(new Uint8Array(features.buffer)) },
  ]);
  expect(opened.store.counts()).toEqual({ train: 0, validation: 1, test: 1 });
});

test("what a late reading has changed takes the place of what was there, unless that has gone", () => {
  const { store, counters } = openStore({ rows: 2 });
  for (const timeMs of [1, 2, 3]) store.add(example(timeMs));
  store.flush();
  const revised = { ...example(2), features: Float32Array.of(7, 8), label: 9, revision: 1 };
  store.add(revised);
  store.add({ ...example(1), revision: 1 });
  // A change of what is not on disk yet.
  store.add(example(4));
  store.add({ ...example(4), label: 44, revision: 1 });
  expect(store.counts().train).toBe(3);
  store.flush();
  expect(store.page("train", { afterId: 0 }, 10).examples.map(({ label }) => label)).toEqual([3, 44]);
  expect(counters.toJSON()).toMatchObject({ "examples.revised": 2, "examples.revised-gone": 1 });
  store.add({ ...example(3), label: 33, revision: 2 });
  store.flush();
  expect(store.page("train", { afterId: 0 }, 10).examples.map(({ label }) => label)).toEqual([33, 44]);
  expect(store.counts().train).toBe(2);
});

test("of more rows than it may hold it keeps the newest, and counts the others", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 150 }), fc.integer({ min: 0, max: 400 }), (rows, added) => {
      const opened = openStore({ rows });
      for (let i = 0; i < added; i++) opened.store.add(example(i));
      opened.store.flush();
      const expected = Array.from({ length: added }, (_, i) => i).slice(-rows);
      expect(times(opened)).toEqual(expected);
      expect(opened.counters.get("examples.removed-ring")).toBe(Math.max(0, added - rows));
      expect(opened.store.counts().train).toBe(expected.length);
    }),
    { numRuns: 30 },
  );
});

test("rows older than the age limit go, by event time", () => {
  const opened = openStore({ ageMs: 100 });
  for (const timeMs of [0, 50, 149, 150]) opened.store.add(example(timeMs));
  expect(times(opened)).toEqual([50, 149, 150]);
  expect(opened.counters.get("examples.removed-age")).toBe(1);
});

test("a bound in bytes is one in rows", () => {
  const keep = {
    rows: 1_000_000,
    reservoir: 0,
    balance: "none",
    bytes: 1_000_000,
    ageMs: undefined,
  } as const;
  const split = {
    test: { kind: "none" },
    validation: { share: 0, by: "time", blockMs: 1 },
    gapMs: 0,
  } as const;
  expect(storeLimits({ everyMs: undefined, keep, split }, 1000).rows).toBe(242);
});

test("rows of another meaning are cleared and counted; those of the same stay", () => {
  const first = openStore();
  first.store.add(example(1));
  first.store.flush();
  const same = openStore({ database: first.database });
  expect(same.store.counts().train).toBe(1);
  const other = openStore({ database: first.database, meaning: "another" });
  expect(other.store.counts().train).toBe(0);
  expect(other.counters.get("examples.other-task")).toBe(1);
});

test("a batch goes to disk after a second: what a crash loses is no more than that", async () => {
  const { store, clock, database } = openStore();
  store.add(example(1));
  expect(database.get(`SELECT count(*) AS rows FROM example`)).toEqual({ rows: 0 });
  expect(store.counts().train).toBe(1);
  await clock.advance(1000);
  expect(database.get(`SELECT count(*) AS rows FROM example`)).toEqual({ rows: 1 });
});

test("on a full disk the oldest make room for the newest", () => {
  const opened = openStore({ database: createDisk({ telemetry: 60 }).telemetry, rows: 100_000 });
  for (let i = 0; i < 3000; i++) opened.store.add(example(i, "train", 50));
  const kept = times(opened);
  expect(opened.counters.get("examples.removed-disk-full")).toBeGreaterThan(0);
  expect(opened.counters.get("examples.dropped-disk-full")).toBe(0);
  expect(kept.at(-1)).toBe(2999);
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 3000 - kept.length + i));
});

test("when nothing can make room, new examples are counted as dropped and nothing throws", () => {
  const { store, counters } = openStore({ database: createDisk({ telemetry: 26 }).telemetry });
  for (let i = 0; i < 200; i++) store.add(example(i, "train", 5000));
  store.flush();
  expect(counters.get("examples.dropped-disk-full")).toBe(200);
  expect(store.counts().train).toBe(0);
});

test("the revision changes with the examples, and only with them", () => {
  const { store } = openStore();
  const before = store.revision;
  store.counts();
  expect(store.revision).toBe(before);
  store.add(example(1));
  expect(store.revision).not.toBe(before);
});
