import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lockFolder } from "../../../../shared/storage/folder-lock.js";
import { tempFolder } from "../../../support/temp-folder.js";

const temp = tempFolder();

test("a folder has one owner at a time, and the second hears who", () => {
  const folder = join(temp.path, "shared");
  const lock = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(`${folder} is in use by another process (pid ${process.pid})`);
  lock.release();
  lockFolder(folder).release();
});

test("a file where the folder should be is named", () => {
  const file = temp.write("file", "");
  expect(() => lockFolder(file)).toThrow(`cannot use the data folder ${file}`);
});

test("a killed owner leaves no lock behind", async () => {
  const folder = join(temp.path, "killed");
  const program = `import Sqlite from "better-sqlite3"; import { mkdirSync } from "node:fs";
    mkdirSync(process.argv[1]); const db = new Sqlite(process.argv[1] + "/lock"); db.exec("BEGIN EXCLUSIVE");
    process.stdout.write("locked"); process.stdin.on("end", () => db.close()).resume();`;
  const owner = spawn(process.execPath, ["--input-type=module", "--eval", program, folder]);
  await once(owner.stdout, "data");
  expect(() => lockFolder(folder)).toThrow("in use by another process");
  owner.kill("SIGKILL");
  await once(owner, "exit");
  expect(existsSync(join(folder, "lock"))).toBe(true);
  lockFolder(folder).release();
});
