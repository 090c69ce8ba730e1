// A server's data folder as others may look at it: read only, also while its server runs.

import type { KeyObject } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { HeadwaterError } from "../../shared/error.js";
import { viewDatabases } from "../../shared/storage/folder-view.js";
import type { Database } from "../../shared/storage/port.js";
import { publicKeyFromRaw } from "../../shared/wire/signature.js";
import { serverMigrations } from "../storage.js";
import { fleetMigrations } from "./enrolled.js";

/** What lies in a folder. */
export interface ServerView {
  readonly database: Database;
  /** Who is enrolled (fleetMigrations). */
  readonly fleet: Database;
  /** The server's, as devices pin it. */
  readonly publicKey: KeyObject;
  close(): void;
}

/** Opens it. Throws `config-invalid` when it is no server's folder, `storage-failed` when it cannot be read. */
export function viewServerFolder(folder: string): ServerView {
  for (const name of ["server.db", "fleet.db"]) {
    if (existsSync(join(folder, name))) continue;
    throw new HeadwaterError("config-invalid", `${folder} is no server's data folder: it has no ${name}`);
  }
  return viewDatabases(folder, (open) => {
    const fleet = open("fleet.db", fleetMigrations);
    return { database: open("server.db", serverMigrations), fleet, publicKey: keyOf(fleet, folder) };
  });
}

function keyOf(fleet: Database, folder: string): KeyObject {
  const row = fleet.get("SELECT value FROM about WHERE name = 'server-key'");
  if (row !== undefined) return publicKeyFromRaw(Buffer.from(String(row.value), "base64"));
  throw new HeadwaterError("config-invalid", `${folder} holds no server's key: it has never been started`);
}
