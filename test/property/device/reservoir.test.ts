// Laws of the replay buffer: what it may hold, and that chance decides the same every time.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WriteBatch } from "../../../device/batched-writes.js";
import { ExampleStore } from "../../../device/examples/store.js";
import { Counters } from "../../../shared/counters.js";
import type { Example, Split } from "../../../shared/pipeline/types.js";
import { randomStream } from "../../../shared/random.js";
import type { Database } from "../../../shared/storage/port.js";
import { createDisk } from "../../support/device-kit.js";
import { ManualClock } from "../../support/manual-clock.js";

const RING = 20;
const SIZE = 10;

const splits = fc.array(fc.constantFrom<Split>("train", "train", "train", "validation", "test"), {
  maxLength: 200,
});

function open(database: Database, { classes = 0, seed = "s", ring = RING } = {}) {
  return new ExampleStore({
    ...{
      database,
      batch: new WriteBatch(database, new ManualClock()),
      counters: new Counters(),
      meaning: "m",
    },
    limits: { rows: ring, ageMs: undefined },
    reservoir: {
      size: classes === 0 ? SIZE : SIZE / classes,
      classes,
      draw: (stratum, n) => randomStream(seed, "reservoir", stratum, n).uniform(),
    },
  });
}

const example = (timeMs: number, split: Split): Example => ({
  ...{ entity: "e", timeMs, split, label: timeMs % 2, persistence: null, test: split === "test" },
  features: Float32Array.of(timeMs),
});

/** Times of the rows that were drawn. */
function drawn(database: Database): readonly { readonly timeMs: number; readonly split: string }[] {
  return database
    .all(`SELECT time_ms, split FROM example WHERE place IS NOT NULL ORDER BY time_ms`)
    .map((row) => ({ timeMs: Number(row.time_ms), split: String(row.split) }));
}

/** Adds all rows; before each of `reopenAt` the store is closed and opened again. */
function fill(all: readonly Split[], reopenAt: ReadonlySet<number> = new Set(), options = {}): Database {
  const database = createDisk().telemetry;
  let store = open(database, options);
  all.forEach((split, i) => {
    if (reopenAt.has(i)) {
      store.flush();
      store = open(database, options);
    }
    store.add(example(i, split));
  });
  store.flush();
  return database;
}

describe("the reservoir", () => {
  test("never holds a test or validation row, nor one that the ring still holds", () => {
    fc.assert(
      fc.property(splits, (all) => {
        const kept = drawn(fill(all));
        const left = all.slice(0, Math.max(0, all.length - RING));
        for (const { timeMs, split } of kept) {
          expect(split).toBe("train");
          expect(timeMs).toBeLessThan(left.length);
        }
        expect(kept).toHaveLength(Math.min(SIZE, left.filter((split) => split === "train").length));
      }),
      { numRuns: 30 },
    );
  });

  test("draws the same whether or not the store was opened again meanwhile", () => {
    fc.assert(
      fc.property(splits, fc.array(fc.nat(200), { maxLength: 5 }), (all, at) => {
        expect(drawn(fill(all, new Set(at)))).toEqual(drawn(fill(all)));
      }),
      { numRuns: 20 },
    );
  });

  test("keeps the ring as it would be alone", () => {
    fc.assert(
      fc.property(splits, (all) => {
        const rows = fill(all)
          .all(`SELECT time_ms FROM example WHERE place IS NULL ORDER BY id`)
          .map((row) => Number(row.time_ms));
        expect(rows).toEqual(all.map((_, i) => i).slice(-RING));
      }),
      { numRuns: 20 },
    );
  });

  test("gives every row that has left the ring the same chance", () => {
    const all = new Array<Split>(120).fill("train");
    const thirds = [0, 0, 0];
    for (let run = 0; run < 60; run++) {
      const kept = drawn(fill(all, new Set(), { seed: `${run}`, ring: 1 }));
      for (const { timeMs } of kept) thirds[Math.min(2, Math.floor(timeMs / 40))]! += 1;
    }
    // 600 draws, 200 expected in each third, standard deviation below 12: five of them on either side.
    for (const count of thirds) expect(Math.abs(count - 200)).toBeLessThan(60);
  });

  test("balanced by class has as many places for each", () => {
    // Even times are of class 0, odd ones of class 1: thirty of the one, ten of the other have left the ring.
    const database = createDisk().telemetry;
    const store = open(database, { classes: 2 });
    for (let i = 0; i < 30; i++) store.add(example(2 * i, "train"));
    for (let i = 0; i < 30; i++) store.add(example(2 * i + 1, "train"));
    store.flush();
    const parity = drawn(database).map(({ timeMs }) => timeMs % 2);
    expect(parity.filter((odd) => odd === 0)).toHaveLength(5);
    expect(parity.filter((odd) => odd === 1)).toHaveLength(5);
  });

  test("starts afresh when its places are others", () => {
    const database = fill(new Array<Split>(60).fill("train"));
    expect(drawn(database)).toHaveLength(SIZE);
    const store = open(database, { classes: 2 });
    expect(drawn(database)).toEqual([]);
    expect(store.counts().train).toBe(RING);
  });
});
