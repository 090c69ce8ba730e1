// The part of the data folder that several processes may use at once: the server's key and the enrolled devices.

import { createPrivateKey, createPublicKey } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../shared/clock.js";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import { parseTaskId, type TaskId } from "../../shared/id.js";
import { writeDurably } from "../../shared/storage/durable-file.js";
import type { Database } from "../../shared/storage/port.js";
import { openSqlite } from "../../shared/storage/sqlite.js";
import { generateKeys, type KeyPair } from "../../shared/wire/signature.js";
import { BrokerFiles } from "./broker-files.js";
import { EnrolledDevices, fleetMigrations, rawHalf } from "./enrolled.js";

/** The folder's task, key and devices. */
export interface FleetFolder {
  readonly task: TaskId;
  readonly keys: KeyPair;
  readonly enrolled: EnrolledDevices;
  readonly brokerFiles: BrokerFiles;
  close(): void;
}

export interface FleetFolderOptions {
  /** What the folder must belong to; absent, it must belong to some task already. */
  readonly task?: TaskId | undefined;
  readonly clock: Clock;
}

/**
 * Opens it, and makes what is not there yet. Throws `config-invalid` when the folder belongs to another task or its
 * key is not the one that devices pin, `storage-failed` when the disk or a file is at fault.
 */
export function openFleetFolder(folder: string, { task: wanted, clock }: FleetFolderOptions): FleetFolder {
  makeFolder(folder);
  const path = join(folder, "fleet.db");
  const database = openSqlite({ path, durability: "full", migrations: fleetMigrations });
  try {
    // Under the database's write lock, so that two processes do not make two keys.
    const { task, keys } = database.transaction(() => ({
      task: claimTask(database, folder, wanted),
      keys: claimKeys(database, folder),
    }));
    const enrolled = new EnrolledDevices({ database, clock, task, serverKey: keys.publicKey });
    const brokerFiles = new BrokerFiles({ folder, task, database, enrolled });
    return { task, keys, enrolled, brokerFiles, close: () => database.close() };
  } catch (error) {
    database.close();
    throw error;
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const message = `cannot use the data folder ${folder}: ${messageOf(cause)}`;
    throw new HeadwaterError("storage-failed", message, { cause });
  }
}

function claimTask(database: Database, folder: string, wanted: TaskId | undefined): TaskId {
  const owner = about(database, "task");
  const task = wanted ?? (owner === undefined ? undefined : parseTaskId(owner));
  if (task === undefined) {
    throw new HeadwaterError("config-invalid", `the data folder ${folder} belongs to no task yet: name one`);
  }
  if (owner !== undefined && owner !== task) {
    const message = `the data folder ${folder} belongs to task ${owner}, not to ${task}: use another folder`;
    throw new HeadwaterError("config-invalid", message);
  }
  setAbout(database, "task", task);
  return task;
}

function claimKeys(database: Database, folder: string): KeyPair {
  const path = join(folder, "server.key");
  const pinned = about(database, "server-key");
  const keys = existsSync(path) ? readKeys(path) : pinned === undefined ? makeKeys(path) : undefined;
  const isPinned = keys !== undefined && (pinned === undefined || pinned === textOf(keys));
  if (!isPinned) {
    const what = keys === undefined ? `there is no ${path}` : `${path} is another key than before`;
    const why =
      "devices believe only the key they were enrolled with. Restore it, or enrol all in a new folder";
    throw new HeadwaterError("config-invalid", `${what}: ${why}`);
  }
  setAbout(database, "server-key", textOf(keys));
  return keys;
}

function readKeys(path: string): KeyPair {
  try {
    const privateKey = createPrivateKey({ key: readFileSync(path), format: "pem" });
    if (privateKey.asymmetricKeyType !== "ed25519") throw new Error(`it is ${privateKey.asymmetricKeyType}`);
    return { privateKey, publicKey: createPublicKey(privateKey) };
  } catch (cause) {
    const message = `${path} is no Ed25519 key in PKCS #8 PEM: ${messageOf(cause)}`;
    throw new HeadwaterError("config-invalid", message, { cause });
  }
}

function makeKeys(path: string): KeyPair {
  const keys = generateKeys();
  const pem = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  writeDurably(path, pem, { mode: 0o600 });
  return keys;
}

function textOf({ publicKey }: KeyPair): string {
  return Buffer.from(rawHalf(publicKey, "x")).toString("base64");
}

function about(database: Database, name: string): string | undefined {
  const row = database.get("SELECT value FROM about WHERE name = ?", name);
  return row === undefined ? undefined : String(row.value);
}

function setAbout(database: Database, name: string, value: string): void {
  database.run("INSERT OR IGNORE INTO about (name, value) VALUES (?, ?)", name, value);
}
