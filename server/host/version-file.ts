// Versions in a server's data folder as others may read them, also while its server runs.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { HeadwaterError } from "../../shared/error.js";
import type { Database } from "../../shared/storage/port.js";
import { openSqliteReadOnly } from "../../shared/storage/sqlite.js";
import type { Manifest } from "../../shared/wire/message.js";
import { VersionStore } from "../model/version-store.js";
import { replay } from "../round/journal.js";
import { readJournal, serverMigrations } from "../storage.js";

/** Which version: its number, or the line that it is the newest of. */
export type VersionName = number | "stable" | "head";

/** A version with its bytes. */
export interface VersionFile {
  readonly manifest: Manifest;
  readonly blob: Uint8Array;
}

/** True when the folder is a server's. */
export function isServerFolder(folder: string): boolean {
  return existsSync(join(folder, "server.db"));
}

/** Reads one version. Throws `data-missing` when there is none of that name. */
export function readVersion(folder: string, name: VersionName): VersionFile {
  const database = openSqliteReadOnly({ path: join(folder, "server.db"), migrations: serverMigrations });
  try {
    const store = new VersionStore(database);
    const version = typeof name === "number" ? name : lineOf(database, name);
    const manifest = store.manifest(version);
    if (manifest === undefined) throw missing(folder, name, store);
    const blob = store.readBlob(manifest.sha256, 0, manifest.bytes);
    if (blob === undefined) throw missing(folder, name, store);
    return { manifest, blob };
  } finally {
    database.close();
  }
}

function lineOf(database: Database, line: "stable" | "head"): number {
  const journaled = readJournal(database);
  return journaled === undefined ? 0 : replay(journaled)[line];
}

function missing(folder: string, name: VersionName, store: VersionStore): HeadwaterError {
  const kept = store.list().map(({ version }) => version);
  const there = kept.length === 0 ? "it has none yet" : `it has ${kept.join(", ")}`;
  const wanted = typeof name === "number" ? `no version ${name}` : `no ${name} version`;
  return new HeadwaterError("data-missing", `${folder} has ${wanted}: ${there}`);
}
