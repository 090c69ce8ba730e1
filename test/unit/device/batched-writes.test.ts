import { describe, expect, test } from "vitest";
import { BatchedWrites, WriteBatch } from "../../../device/batched-writes.js";
import { HeadwaterError } from "../../../shared/error.js";
import { openSqlite } from "../../../shared/storage/sqlite.js";
import { ManualClock } from "../../support/manual-clock.js";

const migrations = ["CREATE TABLE item (store TEXT NOT NULL, value INTEGER NOT NULL) STRICT"];

function setUp() {
  const clock = new ManualClock();
  const database = openSqlite({ path: ":memory:", durability: "normal", migrations });
  const batch = new WriteBatch(database, clock);
  const dropped: number[] = [];
  const faults = { left: 0, room: 0 };
  const store = (name: string) =>
    new BatchedWrites<number>(batch, {
      write(items) {
        for (const value of items) database.run("INSERT INTO item VALUES (?, ?)", name, value);
        if (faults.left-- > 0) throw new HeadwaterError("storage-full", "no room");
        return () => undefined;
      },
      failed: () => undefined,
      makeRoom: () => faults.room-- > 0,
      drop: (items) => dropped.push(...items),
    });
  const onDisk = () =>
    database.all("SELECT store, value FROM item ORDER BY rowid").map(({ value }) => Number(value));
  return { clock, database, batch, store, onDisk, dropped, faults };
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("rows go to disk", () => {
  test("five hundred at a time, at once", () => {
    const { store, onDisk } = setUp();
    const writes = store("a");
    for (const i of upTo(1200)) writes.add(i);
    expect(onDisk()).toEqual(upTo(1000));
    expect(writes.waiting).toHaveLength(200);
  });

  test("after a second, when there are fewer", async () => {
    const { clock, store, onDisk } = setUp();
    const writes = store("a");
    writes.add(1);
    await clock.advance(600);
    writes.add(2);
    expect(onDisk()).toEqual([]);
    await clock.advance(400);
    expect(onDisk()).toEqual([1, 2]);
  });

  test("once: a flush leaves nothing behind for the timer", async () => {
    const { clock, batch, store, onDisk } = setUp();
    store("a").add(1);
    batch.flush();
    expect(clock.pending).toBe(0);
    expect(onDisk()).toEqual([1]);
  });

  test("of every store of the database together", async () => {
    const { clock, store, onDisk } = setUp();
    store("a").add(1);
    store("b").add(2);
    await clock.advance(1000);
    expect(onDisk()).toEqual([1, 2]);
  });

  test("between messages only, however many rows one message makes", () => {
    const { batch, store, onDisk } = setUp();
    const writes = store("a");
    batch.together(() => {
      for (const i of upTo(700)) writes.add(i);
      batch.flush();
      expect(onDisk()).toEqual([]);
    });
    expect(onDisk()).toEqual(upTo(700));
  });
});

describe("on a full disk", () => {
  test("all stores' rows are written as soon as one has made room", () => {
    const { batch, store, onDisk, faults, dropped } = setUp();
    Object.assign(faults, { left: 2, room: 5 });
    store("a").add(1);
    store("b").add(2);
    batch.flush();
    expect(onDisk()).toEqual([1, 2]);
    expect(dropped).toEqual([]);
  });

  test("rows are given up when there is no room to make", () => {
    const { batch, store, onDisk, faults, dropped } = setUp();
    Object.assign(faults, { left: 9, room: 2 });
    store("a").add(1);
    batch.flush();
    expect(onDisk()).toEqual([]);
    expect(dropped).toEqual([1]);
  });
});

describe("a stamp", () => {
  test("is in the same transaction as the rows, and prepared before it", () => {
    const { batch, store, onDisk, database } = setUp();
    const told: string[] = [];
    batch.stampWith({
      isDue: false,
      failed: () => undefined,
      prepare: () => told.push(`prepared with ${onDisk().length} rows`),
      write() {
        database.run("INSERT INTO item VALUES ('stamp', 99)");
        return () => told.push(`committed with ${onDisk().length} rows`);
      },
    });
    batch.flush();
    expect(told).toEqual([]);
    store("a").add(1);
    batch.flush();
    expect(onDisk()).toEqual([1, 99]);
    expect(told).toEqual(["prepared with 0 rows", "committed with 2 rows"]);
  });

  test("that is due is written without rows, and when rows are given up", () => {
    const { batch, store, onDisk, database, faults } = setUp();
    const write = () => {
      database.run("INSERT INTO item VALUES ('stamp', 99)");
      return () => undefined;
    };
    batch.stampWith({ isDue: true, prepare: () => undefined, write, failed: () => undefined });
    batch.flush();
    faults.left = 9;
    store("a").add(1);
    batch.flush();
    expect(onDisk()).toEqual([99, 99]);
  });
});
