import { afterEach, describe, expect, test } from "vitest";
import { Disk } from "../../../simulator/disk.js";
import { Life, ProcessGone } from "../../../simulator/life.js";

const disks: Disk[] = [];

function createDisk(): Disk {
  const disk = new Disk(["CREATE TABLE note (text TEXT NOT NULL) STRICT"]);
  disks.push(disk);
  return disk;
}

function notes(disk: Disk): string[] {
  return disk.content.all("SELECT text FROM note ORDER BY rowid").map(({ text }) => String(text));
}

const INSERT = "INSERT INTO note VALUES (?)";

afterEach(() => {
  for (const disk of disks.splice(0)) disk.destroy();
});

describe("lives", () => {
  test("what one process wrote the next one finds, even if the first has closed its database", () => {
    const disk = createDisk();
    const first = disk.mount(new Life());
    first.run(INSERT, "a");
    first.close();
    expect(disk.mount(new Life()).get("SELECT text FROM note")).toEqual({ text: "a" });
  });

  test("a dead process can neither read nor write", () => {
    const disk = createDisk();
    const life = new Life();
    const database = disk.mount(life);
    life.end();
    expect(() => database.run(INSERT, "a")).toThrow(ProcessGone);
    expect(() => database.get("SELECT 1")).toThrow(ProcessGone);
    expect(() => database.all("SELECT 1")).toThrow(ProcessGone);
    expect(() => database.iterate("SELECT 1")).toThrow(ProcessGone);
    expect(() => database.transaction(() => undefined)).toThrow(ProcessGone);
    expect(notes(disk)).toEqual([]);
  });

  test("who watches sees what is there with no process running, and how often it was written", () => {
    const disk = createDisk();
    const life = new Life();
    const database = disk.mount(life);
    database.run(INSERT, "a");
    database.transaction(() => database.run(INSERT, "b"));
    life.end();
    expect(notes(disk)).toEqual(["a", "b"]);
    expect(disk.revision).toBe(2);
  });
});

describe("crash points", () => {
  test.each([
    ["before", ["a"]],
    ["after", ["a", "b", "c"]],
  ] as const)("a process dies %s its second write, a transaction being one", (when, left) => {
    const disk = createDisk();
    const life = new Life();
    const database = disk.mount(life);
    life.dieAt({ write: 2, when });
    database.run(INSERT, "a");
    const second = () =>
      database.transaction(() => {
        database.run(INSERT, "b");
        database.run(INSERT, "c");
      });
    expect(second).toThrow(ProcessGone);
    expect(life.isOver).toBe(true);
    expect(notes(disk)).toEqual(left);
  });

  test("reading kills nobody", () => {
    const life = new Life();
    const database = createDisk().mount(life);
    life.dieAt({ write: 1, when: "before" });
    database.all("SELECT text FROM note");
    expect(life.isOver).toBe(false);
  });

  test("a life ends once, and those who asked are told", () => {
    const life = new Life();
    let told = 0;
    life.onEnd(() => told++);
    life.end();
    life.end();
    expect(told).toBe(1);
  });
});

describe("room", () => {
  const long = "x".repeat(3000);

  test("a full disk takes nothing new until it has room again, and counts what it refused", () => {
    const disk = createDisk();
    const database = disk.mount(new Life());
    database.run(INSERT, long);
    disk.setFull(true);
    const fill = () => {
      for (let i = 0; i < 5; i++) database.run(INSERT, long);
    };
    expect(fill).toThrow(expect.objectContaining({ code: "storage-full" }));
    expect(disk.refusals).toBe(1);
    disk.setFull(false);
    fill();
    expect(disk.refusals).toBe(1);
  });

  test("deleting makes room on a full disk", () => {
    const disk = createDisk();
    const database = disk.mount(new Life());
    for (let i = 0; i < 5; i++) database.run(INSERT, long);
    disk.setFull(true);
    database.run("DELETE FROM note");
    database.run(INSERT, "short");
    expect(notes(disk)).toEqual(["short"]);
  });
});
