// The device's data folder: what must survive a power cut, what may lose its last second, and a lock so that it has
// one agent.

import { join } from "node:path";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import type { DeviceId } from "../../shared/id.js";
import { lockFolder } from "../../shared/storage/folder-lock.js";
import type { Database, Durability } from "../../shared/storage/port.js";
import { openSqlite } from "../../shared/storage/sqlite.js";
import { logMigrations } from "../log/raw-log.js";
import { stateMigrations, telemetryMigrations } from "../storage.js";

/** SQLite's default. */
const PAGE_BYTES = 4096;
/** Of each database: rows are read and written in order, so the operating system's cache does as well. */
const CACHE_BYTES = 256 * 1024;

export interface DeviceFolderOptions {
  /** Whose it is. */
  readonly device: DeviceId;
  /** Of each database. */
  readonly limits: { readonly diskBytes: number };
  readonly rawLog: { readonly durability: Durability; readonly bytes: number };
}

/** A bigger database is not checked page by page: reading it whole would take an SD card seconds of every start. */
const CHECK_BYTES_MAX = 64 * 1024 * 1024;

/** The folder while it is ours. */
export interface DeviceFolder {
  /** Task, outbox, models. */
  readonly state: Database;
  /** Examples and predictions. */
  readonly telemetry: Database;
  /** Messages as they came. */
  readonly log: Database;
  close(): void;
}

/**
 * Takes the folder, and makes what is not there yet. Throws `folder-locked` when another process has it,
 * `storage-failed` when a database is damaged: nothing is deleted to get around that.
 */
export function openDeviceFolder(
  folder: string,
  { device, limits, rawLog }: DeviceFolderOptions,
): DeviceFolder {
  const lock = lockFolder(folder);
  const opened: Database[] = [];
  const close = () => {
    for (const database of opened) database.close();
    lock.release();
  };
  const boundsOf = (bytes: number) => ({
    maxPages: Math.max(256, Math.floor(Math.min(bytes, limits.diskBytes) / PAGE_BYTES)),
    cacheBytes: CACHE_BYTES,
  });
  const bounds = boundsOf(limits.diskBytes);
  try {
    const state = open(
      join(folder, "state.db"),
      "restore it, or enrol the device anew in an empty folder",
      (path) => openSqlite({ path, durability: "full", migrations: stateMigrations, ...bounds }),
    );
    opened.push(state);
    state.run(
      `INSERT INTO device (id, name) VALUES (1, ?)
       ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE name IS NOT excluded.name`,
      device,
    );
    const telemetry = open(
      join(folder, "telemetry.db"),
      "it holds only examples: delete it to gather new ones",
      (path) => openSqlite({ path, durability: "normal", migrations: telemetryMigrations, ...bounds }),
    );
    opened.push(telemetry);
    // Not checked: it is the biggest, and what is damaged shows when it is read.
    const log = openSqlite({
      path: join(folder, "log.db"),
      durability: rawLog.durability,
      migrations: logMigrations,
      ...boundsOf(rawLog.bytes),
    });
    opened.push(log);
    return { state, telemetry, log, close };
  } catch (error) {
    close();
    throw error;
  }
}

function open(path: string, advice: string, openAt: (path: string) => Database): Database {
  let database: Database | undefined;
  try {
    database = openAt(path);
    const found = isSmall(database) ? database.get("PRAGMA quick_check(1)")?.quick_check : "ok";
    if (found !== "ok") throw new HeadwaterError("storage-failed", `${path} is damaged (${String(found)})`);
    return database;
  } catch (cause) {
    database?.close();
    if (!(cause instanceof HeadwaterError) || cause.code !== "storage-failed") throw cause;
    throw new HeadwaterError("storage-failed", `${messageOf(cause)}; ${advice}`, { cause });
  }
}

function isSmall(database: Database): boolean {
  return Number(database.get("PRAGMA page_count")?.page_count) * PAGE_BYTES <= CHECK_BYTES_MAX;
}
