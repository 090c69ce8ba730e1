// A device's data folder as others may look at it: read only, also while its agent runs.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { HeadwaterError } from "../../shared/error.js";
import { type DeviceId, parseDeviceId } from "../../shared/id.js";
import { viewDatabases } from "../../shared/storage/folder-view.js";
import type { Database } from "../../shared/storage/port.js";
import { type LoadedTask, parseTaskSource } from "../../shared/task/parse.js";
import { logMigrations } from "../log/raw-log.js";
import { stateMigrations, telemetryMigrations } from "../storage.js";
import { readTask } from "../task-record.js";

/** What lies in a folder. */
export interface FolderView {
  readonly state: Database;
  readonly telemetry: Database;
  /** Undefined in the folder of an agent that never logged a message. */
  readonly log: Database | undefined;
  close(): void;
}

/** Opens it. Throws `config-invalid` when it is no device's folder, `storage-failed` when it cannot be read. */
export function viewFolder(folder: string): FolderView {
  if (!existsSync(join(folder, "telemetry.db"))) {
    throw new HeadwaterError(
      "config-invalid",
      `${folder} is no device's data folder: it has no telemetry.db`,
    );
  }
  return viewDatabases(folder, (open) => ({
    state: open("state.db", stateMigrations),
    telemetry: open("telemetry.db", telemetryMigrations),
    log: existsSync(join(folder, "log.db")) ? open("log.db", logMigrations) : undefined,
  }));
}

/** The task that is kept in the folder, and the device it runs on. Throws `data-missing` before it has one. */
export function taskOf({ state }: FolderView): { readonly loaded: LoadedTask; readonly device: DeviceId } {
  const kept = readTask(state);
  const device = parseDeviceId(String(state.get(`SELECT name FROM device`)?.name ?? ""));
  if (kept === undefined || device === undefined) {
    throw new HeadwaterError("data-missing", "the device has no task yet: it comes from its server");
  }
  return { loaded: parseTaskSource(kept.source), device };
}
