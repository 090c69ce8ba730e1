// One process per data folder. The lock is SQLite's own on a file in the folder: the operating system lets go of it
// when the process ends, however it ends, so no stale lock ever has to be cleared by hand.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { HeadwaterError, messageOf } from "../error.js";

/** A folder that is ours until `release` or the end of the process. */
export interface FolderLock {
  readonly folder: string;
  release(): void;
}

/**
 * Makes the folder if it is not there and takes it. Throws `folder-locked` when another process has it, and
 * `storage-failed` when the folder cannot be made or written to.
 */
export function lockFolder(folder: string): FolderLock {
  const database = attempt(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return new Sqlite(join(folder, "lock"), { timeout: 0 });
  });
  const pidFile = join(folder, "pid");
  try {
    attempt(folder, () => database.exec("BEGIN EXCLUSIVE"));
    attempt(folder, () => writeFileSync(pidFile, `${process.pid}\n`));
  } catch (error) {
    database.close();
    throw error;
  }
  return { folder, release: () => void database.close() };
}

function attempt<Result>(folder: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof Sqlite.SqliteError && cause.code === "SQLITE_BUSY") {
      const message = `the data folder ${folder} is in use by another process${ownerOf(folder)}`;
      throw new HeadwaterError("folder-locked", message, { cause });
    }
    throw new HeadwaterError("storage-failed", `cannot use the data folder ${folder}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function ownerOf(folder: string): string {
  try {
    return ` (pid ${Number(readFileSync(join(folder, "pid"), "utf8"))})`;
  } catch {
    return "";
  }
}
