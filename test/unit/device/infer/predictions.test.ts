import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { WriteBatch } from "../../../../device/batched-writes.js";
import type { Prediction } from "../../../../device/fact.js";
import type { PredictionKeep } from "../../../../device/infer/keep.js";
import { newestOfEach, PredictionLog, type PredictionPage } from "../../../../device/infer/predictions.js";
import { telemetryMigrations } from "../../../../device/storage.js";
import { Counters } from "../../../../shared/counters.js";
import { openSqlite } from "../../../../shared/storage/sqlite.js";
import { createDisk } from "../../../support/device-kit.js";
import { ManualClock } from "../../../support/manual-clock.js";
import { tempFolder } from "../../../support/temp-folder.js";

const temp = tempFolder();

function openLog(keep: Partial<PredictionKeep> = {}, database = createDisk().telemetry) {
  const clock = new ManualClock(0);
  const [batch, counters] = [new WriteBatch(database, clock), new Counters()];
  const all = { rows: 10_000, ageMs: undefined, bytes: undefined, ...keep };
  return {
    database,
    clock,
    counters,
    log: new PredictionLog({ database, batch, clock, counters, keep: all }),
  };
}

function prediction(entity: string, timeMs: number, value = timeMs): Prediction {
  const id = `${entity}@${timeMs}`.padEnd(24, "x");
  return { id, entity, timeMs, version: 1, value, probability: null, anomaly: null };
}

test("every page together is what a plain filter finds, the newest event time first, each row's last answer once", () => {
  const entity = fc.constantFrom("a", "b", "c");
  const timeMs = fc.integer({ min: -5, max: 30 });
  const made = fc.array(fc.record({ entity, timeMs, value: fc.integer() }), { maxLength: 60 });
  const bound = fc.option(timeMs, { nil: undefined });
  const query = fc.record({
    entity: fc.option(entity, { nil: undefined }),
    fromMs: bound,
    toMs: bound,
    limit: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(made, query, (made, query) => {
      const { log } = openLog();
      const last = new Map<string, Prediction>();
      for (const each of made) {
        const one = prediction(each.entity, each.timeMs, each.value);
        log.add(one);
        last.delete(one.id);
        last.set(one.id, one);
      }
      const wanted = [...last.values()]
        .filter((one) => query.entity === undefined || one.entity === query.entity)
        .filter(({ timeMs }) => timeMs >= (query.fromMs ?? -Infinity) && timeMs < (query.toMs ?? Infinity))
        .reverse()
        .sort((one, other) => other.timeMs - one.timeMs);
      const found: Prediction[] = [];
      let page: PredictionPage | undefined;
      for (let pages = 0; pages <= made.length && (page === undefined || page.next !== undefined); pages++) {
        page = log.find({ ...query, after: page?.next });
        expect(page.predictions.length).toBeLessThanOrEqual(query.limit);
        found.push(...page.predictions);
      }
      expect(page?.next).toBeUndefined();
      expect(found).toEqual(wanted);
    }),
    { numRuns: 60 },
  );
});

test("so many rows are kept, the last that were made", () => {
  const { log } = openLog({ rows: 1_000 });
  for (let i = 0; i < 2_345; i++) log.add(prediction("a", -i));
  const { predictions } = log.find({ limit: 5_000 });
  expect(predictions).toHaveLength(1_000);
  expect(predictions.map(({ timeMs }) => timeMs)).toContain(-2_344);
  expect(predictions[0]?.timeMs).toBe(-1_345);
});

test("what was made too long ago goes, however new its event time is", async () => {
  const { log, clock } = openLog({ ageMs: 3_600_000 });
  log.add(prediction("a", 9e12));
  log.flush();
  await clock.advance(3_600_001);
  log.add(prediction("a", 1));
  expect(log.find({ limit: 10 }).predictions.map(({ timeMs }) => timeMs)).toEqual([1]);
  await clock.advance(7_200_000);
  log.add(prediction("b", 2));
  log.flush();
  expect(log.find({ limit: 10 }).predictions.map(({ entity }) => entity)).toEqual(["b"]);
});

test("bytes are bounded, and a row is not estimated at less than it takes", () => {
  const { log, database } = openLog({ rows: 1e6, bytes: 1_000_000 });
  const before = Number(database.get("PRAGMA page_count")?.page_count);
  for (let i = 0; i < 12_000; i++) log.add(prediction(`machine-${i % 50}`, 1.7e12 + i * 60_000));
  const { predictions } = log.find({ limit: 20_000 });
  const pages = Number(database.get("PRAGMA page_count")?.page_count) - before;
  const free = Number(database.get("PRAGMA freelist_count")?.freelist_count);
  // A batch more than is kept lies on disk for a moment: 500 rows.
  expect((pages - free) * 4096).toBeLessThan(1_000_000);
  expect((pages - free) * 4096).toBeGreaterThan(500_000);
  expect(predictions.length).toBeGreaterThan(4_000);
});

test("a restart goes on counting what is there, and knows the newest of each entity", () => {
  const { log, database } = openLog({ rows: 1_000 });
  for (let i = 0; i < 900; i++) log.add(prediction(i % 2 ? "odd" : "even", i));
  log.flush();
  const again = openLog({ rows: 1_000 }, database).log;
  for (let i = 0; i < 300; i++) again.add(prediction("late", i));
  expect(again.find({ limit: 5_000 }).predictions).toHaveLength(1_000);
  expect(newestOfEach(database, 2).map(({ entity, timeMs }) => [entity, timeMs])).toEqual([
    ["odd", 899],
    ["late", 299],
  ]);
});

test("how many there are is kept beside them, in their transaction: a start counts nothing", () => {
  const entity = fc.constantFrom("a", "pump-1", "wärmepumpe", "\u{1f321}", "a\0b", "");
  const made = fc.record({ entity, timeMs: fc.integer({ min: 0, max: 400 }) });
  const life = fc.record({ made: fc.array(made, { maxLength: 40 }), isFlushed: fc.boolean() });
  fc.assert(
    fc.property(fc.array(life, { maxLength: 8 }), (lives) => {
      const { telemetry } = createDisk();
      for (const { made, isFlushed } of lives) {
        const { log } = openLog({ rows: 50, ageMs: 1 }, telemetry);
        for (const { entity, timeMs } of made) log.add(prediction(entity, timeMs));
        if (isFlushed) log.flush();
        expect(telemetry.get(`SELECT rows, entity_bytes FROM prediction_extent`)).toEqual(
          telemetry.get(
            `SELECT count(*) AS rows, coalesce(sum(octet_length(entity)), 0) AS entity_bytes FROM prediction`,
          ),
        );
      }
    }),
    { numRuns: 60 },
  );
});

test("predictions of before there was a count are counted once, when the schema comes up to date", () => {
  const path = join(temp.path, "telemetry.db");
  const counted = telemetryMigrations.findIndex((sql) => sql.includes("prediction_extent"));
  const before = openSqlite({
    path,
    durability: "normal",
    migrations: telemetryMigrations.slice(0, counted),
  });
  for (const entity of ["a", "bb"])
    before.run(
      `INSERT INTO prediction (prediction_id, entity, time_ms, version, value) VALUES ('', ?, 0, 1, 0)`,
      entity,
    );
  before.close();
  const after = openSqlite({ path, durability: "normal", migrations: telemetryMigrations });
  expect(after.get(`SELECT rows, entity_bytes FROM prediction_extent`)).toEqual({ rows: 2, entity_bytes: 3 });
  after.close();
});

test("the newest of each entity are those of the entities whose was made last", () => {
  const made = fc.array(fc.tuple(fc.constantFrom("", "a", "b", "c", "d"), fc.integer({ min: 0, max: 9 })));
  fc.assert(
    fc.property(made, fc.integer({ min: 1, max: 6 }), (made, entities) => {
      const { log, database } = openLog();
      const newest = new Map<string, number>();
      for (const [entity, timeMs] of made) {
        log.add(prediction(entity, timeMs));
        if (timeMs < (newest.get(entity) ?? -1)) continue;
        newest.delete(entity);
        newest.set(entity, timeMs);
      }
      log.flush();
      const found = newestOfEach(database, entities).map(({ entity, timeMs }) => [entity, timeMs]);
      expect(found).toEqual([...newest].slice(-entities));
    }),
  );
});

test("a full disk costs the log, and the count of what it costs is told", () => {
  const { telemetry } = createDisk({ telemetry: 40 });
  const { log, counters } = openLog({}, telemetry);
  for (let i = 0; i < 2_000; i++) log.add(prediction("a", i));
  log.flush();
  const kept = log.find({ limit: 5_000 }).predictions.length;
  expect(counters.get("predictions.not-logged")).toBe(2_000 - kept);
  expect(kept).toBeLessThan(2_000);
});
