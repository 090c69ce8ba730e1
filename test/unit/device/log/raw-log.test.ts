import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logMigrations, RawLog } from "../../../../device/log/raw-log.js";
import { Counters } from "../../../../shared/counters.js";
import { silentLogger } from "../../../../shared/log.js";
import { openSqlite } from "../../../../shared/storage/sqlite.js";
import { ManualClock } from "../../../support/manual-clock.js";

const DAY_MS = 86_400_000;

function setUp(options: { readonly maxPages?: number; readonly keepMs?: number } = {}) {
  const { maxPages, keepMs = DAY_MS } = options;
  const bound = maxPages === undefined ? {} : { maxPages };
  const database = openSqlite({
    path: ":memory:",
    durability: "normal",
    migrations: logMigrations,
    ...bound,
  });
  const clock = new ManualClock();
  const counters = new Counters();
  const log = new RawLog({ database, clock, counters, logger: silentLogger, keepMs });
  const append = (text: string, position?: number) =>
    log.append({
      source: "air",
      topic: "air/1",
      payload: Buffer.from(text),
      arrivalMs: clock.now(),
      ...(position === undefined ? {} : { position }),
    });
  const onDisk = () => Number(database.get("SELECT count(*) AS n FROM message")?.n);
  return { database, clock, counters, log, append, onDisk };
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<boolean>((done) => setImmediate(done, false))]);
}

test("messages come out as they went in, by number, in pages of any size", () => {
  const message = fc.record({
    source: fc.string(),
    topic: fc.string(),
    arrivalMs: fc.maxSafeNat(),
    retained: fc.boolean(),
    payload: fc.uint8Array({ maxLength: 300 }),
  });
  fc.assert(
    fc.property(fc.array(message), fc.integer({ min: 1, max: 7 }), (messages, limit) => {
      const { log } = setUp();
      for (const each of messages) log.append(each);
      const read = [];
      for (let page = log.read(0, limit); page.length > 0; page = log.read(page.at(-1)!.seq, limit))
        read.push(...page.map((each) => ({ ...each, payload: new Uint8Array(each.payload) })));
      expect(read).toEqual(messages.map((each, i) => ({ ...each, seq: i + 1 })));
    }),
  );
});

describe("a message is safe", () => {
  test("after a tenth of a second, together with all that came meanwhile", async () => {
    const { append, clock, onDisk } = setUp();
    const first = append("1");
    await clock.advance(60);
    const second = append("2");
    await clock.advance(39);
    expect([await isSettled(first.safe), onDisk()]).toEqual([false, 0]);
    await clock.advance(1);
    await Promise.all([first.safe, second.safe]);
    expect(onDisk()).toBe(2);
  });

  test("at once when 64 KiB have come together", async () => {
    const { append, onDisk } = setUp();
    append("x".repeat(40_000));
    expect(onDisk()).toBe(0);
    await append("x".repeat(30_000)).safe;
    expect(onDisk()).toBe(2);
  });

  test("soon when a sender's window is full: many wait and no more come", async () => {
    const { append, clock } = setUp();
    const sent = Array.from({ length: 20 }, (_, i) => append(`${i}`));
    await clock.advance(20);
    await Promise.all(sent.map(({ safe }) => safe));
  });

  test("though the clock is set back by a day", async () => {
    const { append, clock } = setUp();
    const { safe } = append("1");
    clock.set(clock.now() - DAY_MS);
    await clock.advance(100);
    expect(await isSettled(safe)).toBe(true);
  });
});

test("numbers go on after a restart, and after those that a power cut took from the log", () => {
  const { log, append, database, clock, counters } = setUp();
  append("1");
  log.flush();
  const next = new RawLog({ database, clock, counters, logger: silentLogger, keepMs: DAY_MS });
  expect(next.lastSeq).toBe(1);
  next.skipTo(7);
  expect(next.append({ source: "air", topic: "t", payload: new Uint8Array(), arrivalMs: 0 }).seq).toBe(8);
});

test("the position of a source is that of its newest message, also when that has gone", () => {
  const { log, append, database } = setUp();
  append("a", 10);
  append("b", 25);
  append("c");
  expect(log.position("air")).toBe(25);
  database.run("DELETE FROM message");
  expect([log.position("air"), log.position("water")]).toEqual([25, undefined]);
});

describe("retention", () => {
  test("age takes what is no longer needed, and nothing that is", async () => {
    const { append, clock, log, onDisk, counters } = setUp({ keepMs: 1000 });
    for (let i = 0; i < 1500; i++) append(`${i}`);
    log.flush();
    await clock.advance(5000);
    log.release(700);
    for (let i = 0; i < 1500; i++) append(`${i}`);
    log.flush();
    expect(onDisk()).toBe(2300);
    expect(counters.toJSON()).toEqual({ "log.removed-age": 700 });
  });

  test("at its size the oldest make room, counted apart when a kill would have needed them", () => {
    const { append, log, onDisk, counters } = setUp({ maxPages: 100 });
    for (let i = 0; i < 200; i++) {
      append("x".repeat(3000));
      log.flush();
      log.release(i);
    }
    const kept = log.read(0, 1000).map(({ seq }) => seq);
    expect(kept).toEqual(Array.from({ length: onDisk() }, (_, i) => 201 - onDisk() + i));
    expect(kept.length).toBeGreaterThan(60);
    expect(counters.toJSON()).toEqual({ "log.removed-size": 200 - kept.length });
    for (let i = 0; i < 200; i++) append("x".repeat(3000));
    log.flush();
    expect(counters.get("log.removed-unsaved")).toBeGreaterThan(0);
  });

  test("without any room messages go on unlogged, and are said to be as safe as they get", async () => {
    const { append, log, counters, onDisk } = setUp({ maxPages: 8 });
    const { safe } = append("x".repeat(50_000));
    log.flush();
    await safe;
    expect(counters.get("log.unlogged")).toBe(1);
    append("short");
    log.flush();
    expect(onDisk()).toBe(1);
  });
});
