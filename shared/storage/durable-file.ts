// Small files that are there whole or not at all, whatever happens while they are written.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { HeadwaterError, messageOf } from "../error.js";

export interface DurableFileOptions {
  /** Permissions of the new file. */
  readonly mode: number;
  /** Throw `config-invalid` rather than replace a file of that name. */
  readonly mustBeNew?: boolean;
}

/** Writes the file so that it survives a power cut from here on. Throws `storage-failed` with `path` left as it was. */
export function writeDurably(path: string, content: string | Uint8Array, options: DurableFileOptions): void {
  const { mode, mustBeNew = false } = options;
  const target = mustBeNew ? path : `${path}.new`;
  try {
    writeSynced(target, content, mode, mustBeNew ? "wx" : "w");
    if (target !== path) renameSync(target, path);
    syncFolder(dirname(path));
  } catch (cause) {
    if (mustBeNew && isTaken(cause)) {
      throw new HeadwaterError("config-invalid", `${path} is there already and is not overwritten`, {
        cause,
      });
    }
    rmSync(target, { force: true });
    throw new HeadwaterError("storage-failed", `cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}

function writeSynced(path: string, content: string | Uint8Array, mode: number, flags: "w" | "wx"): void {
  // What a crash has left behind may have other permissions.
  if (flags === "w") rmSync(path, { force: true });
  const file = openSync(path, flags, mode);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

// The name is in the folder, and the folder has its own place in the cache.
function syncFolder(folder: string): void {
  const directory = openSync(folder, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}
