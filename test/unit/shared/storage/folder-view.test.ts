import { join } from "node:path";
import { expect, test } from "vitest";
import { viewDatabases } from "../../../../shared/storage/folder-view.js";
import type { Database } from "../../../../shared/storage/port.js";
import { openSqlite } from "../../../../shared/storage/sqlite.js";
import { tempFolder } from "../../../support/temp-folder.js";

const migrations = ["CREATE TABLE things (name TEXT) STRICT"];
const temp = tempFolder();

test("what was opened is closed with the view, and when the rest cannot be opened", () => {
  openSqlite({ path: join(temp.path, "one.db"), durability: "normal", migrations }).close();
  const opened: Database[] = [];
  const look = (others: readonly string[]) =>
    viewDatabases(temp.path, (open) => {
      for (const name of ["one.db", ...others]) opened.push(open(name, migrations));
      return { one: opened.at(-1)! };
    });
  const view = look([]);
  expect(view.one.all("SELECT * FROM things")).toEqual([]);
  view.close();
  expect(() => look(["none.db"])).toThrow(/none\.db/);
  expect(opened).toHaveLength(2);
  for (const database of opened) expect(() => database.all("SELECT * FROM things")).toThrow(/not open/);
});
