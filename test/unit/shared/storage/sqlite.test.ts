import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqlite } from "../../../../shared/storage/sqlite.js";

const migrations = ["CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT"];
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "headwater-"));
  path = join(folder, "notes.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a SQLite database", () => {
  test("keeps what was written across closing and opening", () => {
    const first = openSqlite({ path, durability: "full", migrations });
    first.run("INSERT INTO notes (text) VALUES (?)", "kept");
    first.close();
    const second = openSqlite({ path, durability: "full", migrations });
    expect(second.get("SELECT text FROM notes")).toEqual({ text: "kept" });
    second.close();
  });

  test("stores all of a transaction or nothing", () => {
    const database = openSqlite({ path, durability: "normal", migrations });
    expect(() =>
      database.transaction(() => {
        database.run("INSERT INTO notes (text) VALUES (?)", "lost");
        throw new Error("half way");
      }),
    ).toThrow("half way");
    expect(database.all("SELECT * FROM notes")).toEqual([]);
    database.close();
  });

  test("applies only the migrations it has not applied yet", () => {
    openSqlite({ path, durability: "full", migrations }).close();
    const grown = [...migrations, "ALTER TABLE notes ADD COLUMN author TEXT"];
    openSqlite({ path, durability: "full", migrations: grown }).close();
    const database = openSqlite({ path, durability: "full", migrations: grown });
    database.run("INSERT INTO notes (text, author) VALUES (?, ?)", "new", "me");
    expect(database.get("SELECT author FROM notes")).toEqual({ author: "me" });
    database.close();
  });

  test("leaves the schema as it was when a migration fails", () => {
    openSqlite({ path, durability: "full", migrations }).close();
    const broken = [...migrations, "ALTER TABLE notes ADD COLUMN author TEXT; CREATE NONSENSE"];
    expect(() => openSqlite({ path, durability: "full", migrations: broken })).toThrow(/during: migrate/);
    openSqlite({
      path,
      durability: "full",
      migrations: [...migrations, "ALTER TABLE notes ADD COLUMN author TEXT"],
    }).close();
  });

  test("refuses a database of a newer Headwater, naming both versions", () => {
    openSqlite({
      path,
      durability: "full",
      migrations: [...migrations, "CREATE TABLE more (id INTEGER)"],
    }).close();
    expect(() => openSqlite({ path, durability: "full", migrations })).toThrow(
      expect.objectContaining({
        code: "storage-too-new",
        message: expect.stringContaining("schema version 2"),
      }),
    );
  });

  test("says storage-full when its page limit is reached, and still reads", () => {
    const database = openSqlite({ path, durability: "full", migrations, maxPages: 8 });
    const fill = () => {
      for (let i = 0; i < 100; i++) database.run("INSERT INTO notes (text) VALUES (?)", "x".repeat(1000));
    };
    expect(fill).toThrow(expect.objectContaining({ code: "storage-full" }));
    expect(database.all("SELECT id FROM notes").length).toBeGreaterThan(0);
    database.close();
  });

  test("names the file and the statement when a statement fails", () => {
    const database = openSqlite({ path, durability: "full", migrations });
    expect(() => database.run("INSERT INTO notes (text) VALUES (NULL)")).toThrow(
      expect.objectContaining({
        code: "storage-failed",
        message: expect.stringMatching(/notes\.db.*INSERT INTO notes/),
      }),
    );
    database.close();
  });
});
