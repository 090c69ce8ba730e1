// Which version scores, by what is named on the command line: a device's data folder, a file that was pulled, or a task file
// and a folder that holds its versions.

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { viewFolder } from "../device/catalogue/folder.js";
import { servedVersion } from "../device/catalogue/served-version.js";
import type { ScoringModel } from "../device/offline/score.js";
import { MODEL_FILE_ENDING, readModelFile } from "../device/on-demand/model-file.js";
import { isServerFolder, readVersion, type VersionName } from "../server/host/version-file.js";
import { HeadwaterError } from "../shared/error.js";
import { loadTaskFile } from "./task-file.js";

export interface ScoringModelOptions {
  /** Where a task file's versions are. */
  readonly versions?: string;
  readonly use: VersionName;
}

/** Reads the version. Throws `config-invalid` or `data-missing`, saying what is missing. */
export function loadScoringModel(path: string, { versions, use }: ScoringModelOptions): ScoringModel {
  if (isDeviceFolder(path)) return ofDevice(path, use);
  if (path.endsWith(MODEL_FILE_ENDING)) return readModelFile(path);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    const hint = isServerFolder(path)
      ? `: a server's folder goes with a task file (TASK --versions ${path})`
      : "";
    throw new HeadwaterError("config-invalid", `${path} is no device's data folder${hint}`);
  }
  const loaded = loadTaskFile(path);
  if (versions === undefined)
    throw new HeadwaterError("config-invalid", `--versions: where are the versions of ${path}?`);
  if (isDeviceFolder(versions)) return { ...ofDevice(versions, use), loaded };
  if (!isServerFolder(versions))
    throw new HeadwaterError(
      "config-invalid",
      `--versions: ${versions} is no data folder of a server or device`,
    );
  return { loaded, ...readVersion(versions, use) };
}

/** True when the folder is a device's. */
export function isDeviceFolder(path: string): boolean {
  return existsSync(join(path, "telemetry.db"));
}

/** `--use`. */
export function versionArgument(text: string): VersionName {
  if (text === "stable" || text === "head") return text;
  const version = Number(text);
  if (Number.isSafeInteger(version) && version > 0) return version;
  throw new InvalidArgumentError(`expected stable, head or a version's number, got "${text}".`);
}

function ofDevice(folder: string, use: VersionName): ScoringModel {
  const view = viewFolder(folder);
  try {
    const served = servedVersion(view);
    const { heldOut, manifest } = served;
    if (typeof use === "number" ? use !== manifest.version : use === "head")
      throw new HeadwaterError(
        "data-missing",
        `${folder} holds version ${manifest.version} alone, not ${use}`,
      );
    // Read before the folder is closed again.
    const rows = heldOut?.(HELD_OUT_ROWS) ?? [];
    return { ...served, heldOut: (limit) => rows.slice(0, limit) };
  } finally {
    view.close();
  }
}

/** As many as a device takes a threshold from. */
const HELD_OUT_ROWS = 2_000;
