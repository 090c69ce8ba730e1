// The server's data folder: everything it must not lose, and a lock so that it has one server.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../../shared/clock.js";
import { HeadwaterError } from "../../shared/error.js";
import type { TaskId } from "../../shared/id.js";
import { lockFolder } from "../../shared/storage/folder-lock.js";
import type { Database } from "../../shared/storage/port.js";
import { openSqlite } from "../../shared/storage/sqlite.js";
import { serverMigrations } from "../storage.js";
import { type FleetFolder, openFleetFolder } from "./fleet-folder.js";

/** The folder while it is ours. */
export interface ServerFolder extends FleetFolder {
  readonly database: Database;
  /** Root of all chance: drawn once, and kept with the versions that came of it. */
  readonly seed: string;
  /** Where uploads under way are kept. */
  readonly stagingFolder: string;
  /** Closes the databases and lets go of the folder. */
  close(): void;
}

export interface ServerFolderOptions {
  readonly task: TaskId;
  readonly clock: Clock;
  /** For a folder that has none yet; one that has another is refused. */
  readonly seed?: string | undefined;
}

/**
 * Takes the folder, and makes what is not there yet. Throws `folder-locked` when another process has it,
 * `config-invalid` when it belongs to another task, key or seed, `storage-failed` when a database is damaged:
 * nothing is ever deleted to get around that.
 */
export function openServerFolder(folder: string, options: ServerFolderOptions): ServerFolder {
  const opened: (() => void)[] = [];
  const close = () => {
    for (const undo of opened.splice(0).reverse()) undo();
  };
  try {
    const lock = lockFolder(folder);
    opened.push(() => lock.release());
    const fleet = openFleetFolder(folder, options);
    opened.push(() => fleet.close());
    const path = join(folder, "server.db");
    const database = openSqlite({ path, durability: "full", migrations: serverMigrations });
    opened.push(() => database.close());
    checkDatabase(database, path);
    const seed = claimSeed(database, folder, options.seed);
    return { ...fleet, database, seed, stagingFolder: join(folder, "staging"), close };
  } catch (error) {
    close();
    throw error;
  }
}

// Found now it is a sentence; found later it is a round that never ends.
function checkDatabase(database: Database, path: string): void {
  const found = database.get("PRAGMA quick_check(1)")?.quick_check;
  if (found === "ok") return;
  throw new HeadwaterError(
    "storage-failed",
    `${path} is damaged (${String(found)}): restore it from a backup`,
  );
}

function claimSeed(database: Database, folder: string, wanted: string | undefined): string {
  const drawn = wanted ?? randomBytes(16).toString("hex");
  database.run("INSERT OR IGNORE INTO identity (name, value) VALUES ('seed', ?)", drawn);
  const seed = String(database.get("SELECT value FROM identity WHERE name = 'seed'")?.value);
  if (wanted === undefined || wanted === seed) return seed;
  const message = `the data folder ${folder} has the seed ${seed} already, not ${wanted}: use another folder`;
  throw new HeadwaterError("config-invalid", message);
}
