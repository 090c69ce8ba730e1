// Which version scores, by what is named on the command line: the data folder of a device or a server, or a version that
// was exported or pulled.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { viewFolder } from "../device/catalogue/folder.js";
import { servedVersion } from "../device/catalogue/served-version.js";
import type { ScoringModel } from "../device/offline/score.js";
import { readFiles } from "../shared/artefact/disk.js";
import { type Files, readArtefact } from "../shared/artefact/files.js";
import { HeadwaterError } from "../shared/error.js";
import type { ModelRuntime } from "../shared/model/runtime.js";
import { encodeModelBlob } from "../shared/wire/model-blob.js";
import { find } from "./model.js";
import { exportFrom } from "./model-source.js";

/** Held-out rows of a device that its threshold is taken from. */
const HELD_OUT_ROWS = 2_000;

/**
 * Reads the version and verifies it. `use`: which one of a server's, by number, line or alias. Rejects with `config-invalid` or
 * `data-missing`, saying what is missing, or as `readArtefact`.
 */
export async function loadScoringModel(
  path: string,
  use: string | undefined,
  runtime: ModelRuntime,
): Promise<ScoringModel> {
  if (existsSync(join(path, "server.db"))) {
    const { version } = await find({ data: path }, use ?? "stable");
    return fromFiles(await exportFrom({ data: path }, version, runtime), runtime);
  }
  const scored = isDeviceFolder(path) ? ofDevice(path) : await fromFiles(await readFiles(path), runtime);
  const { version } = scored.manifest;
  if (use === undefined || use === String(version)) return scored;
  throw new HeadwaterError("data-missing", `${path} holds version ${version} alone, not ${use}`);
}

/** True when the folder is a device's. */
export function isDeviceFolder(path: string): boolean {
  return existsSync(join(path, "telemetry.db"));
}

async function fromFiles(files: Files, runtime: ModelRuntime): Promise<ScoringModel> {
  const { loaded, manifest, params, scaler } = await readArtefact(files, runtime);
  const { fingerprint, modelSignature } = manifest;
  return { loaded, manifest, blob: encodeModelBlob({ params, scaler, fingerprint, modelSignature }) };
}

function ofDevice(folder: string): ScoringModel {
  const view = viewFolder(folder);
  try {
    const served = servedVersion(view);
    // Read before the folder is closed again.
    const rows = served.heldOut?.(HELD_OUT_ROWS) ?? [];
    return { ...served, heldOut: (limit) => rows.slice(0, limit) };
  } finally {
    view.close();
  }
}
