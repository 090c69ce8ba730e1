// Artefacts on disk: a folder, or a tar archive (POSIX.1-1988, ustar) of the same files.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HeadwaterError, messageOf } from "../error.js";
import { writeDurably } from "../storage/durable-file.js";
import { BLOB_BYTES_MAX } from "../wire/message.js";
import type { Files } from "./files.js";

/** Of all files together: params as large as they may be, and what is said about them. */
const BYTES_MAX = BLOB_BYTES_MAX + 64 * 1024 * 1024;
/** An artefact has five. */
const FILES_MAX = 64;

/** True for a path that is written as an archive. */
export function isArchive(path: string): boolean {
  return path.endsWith(".tar");
}

/**
 * Writes the files to a new folder or, where `path` ends in .tar, a new archive, with one time for all. Throws
 * `config-invalid` when there is something of that name already, `storage-failed` when it cannot be written.
 */
export async function writeFiles(path: string, files: Files, timeMs: number): Promise<void> {
  if (existsSync(path))
    throw new HeadwaterError("config-invalid", `${path} is there already and is not overwritten`);
  try {
    if (isArchive(path)) writeFileSync(path, await archiveOf(files, timeMs), { flag: "wx" });
    else writeFolder(path, files);
  } catch (cause) {
    // What is there in part would be taken for a whole one.
    rmSync(path, { recursive: true, force: true });
    throw new HeadwaterError("storage-failed", `cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** Writes an archive in the place of an older one: whole or not at all, whatever happens meanwhile. Rejects with `storage-failed`. */
export async function replaceArchive(path: string, files: Files, timeMs: number): Promise<void> {
  writeDurably(path, await archiveOf(files, timeMs), { mode: 0o644 });
}

/** The files of a folder or an archive. Rejects with `data-missing` or, when it is larger than any artefact, `data-invalid`. */
export async function readFiles(path: string): Promise<Files> {
  try {
    return statSync(path).isDirectory() ? readFolder(path) : await unpack(path);
  } catch (cause) {
    if (cause instanceof HeadwaterError) throw cause;
    throw new HeadwaterError("data-missing", `cannot read the model ${path}: ${messageOf(cause)}`, { cause });
  }
}

function writeFolder(path: string, files: Files): void {
  mkdirSync(path, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(path, name), bytes);
}

/** The files as one archive, all of one time. */
export async function archiveOf(files: Files, timeMs: number): Promise<Uint8Array> {
  const { packTar } = await import("modern-tar");
  const mtime = new Date(timeMs);
  return packTar(
    [...files].map(([name, bytes]) => ({
      header: { name, size: bytes.length, mtime, mode: 0o644, type: "file" as const },
      body: bytes,
    })),
  );
}

function readFolder(path: string): Files {
  const names = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isFile());
  checkSize(
    path,
    names.length,
    names.reduce((sum, { name }) => sum + statSync(join(path, name)).size, 0),
  );
  return new Map(names.map(({ name }) => [name, new Uint8Array(readFileSync(join(path, name)))]));
}

async function unpack(path: string): Promise<Files> {
  checkSize(path, 0, statSync(path).size);
  return filesOf(new Uint8Array(readFileSync(path)), path);
}

/** The files of an archive; `path` is what errors call it. Rejects with `data-invalid`. */
export async function filesOf(archive: Uint8Array, path: string): Promise<Files> {
  checkSize(path, 0, archive.length);
  const { unpackTar } = await import("modern-tar");
  const entries = await unpackTar(archive).catch((cause: unknown) => {
    throw new HeadwaterError("data-invalid", `${path} is no tar archive: ${messageOf(cause)}`, { cause });
  });
  checkSize(path, entries.length, 0);
  // As `tar` packs a folder: names may begin with it. Nothing is written anywhere by these names.
  return new Map(
    entries.flatMap(({ header, data }) =>
      data === undefined || header.type === "directory"
        ? []
        : [[header.name.split("/").at(-1)!, data] as const],
    ),
  );
}

function checkSize(path: string, count: number, bytes: number): void {
  if (count <= FILES_MAX && bytes <= BYTES_MAX) return;
  const message = `${path} is no exported model: ${count} files of ${bytes} bytes, above ${FILES_MAX} of ${BYTES_MAX}`;
  throw new HeadwaterError("data-invalid", message);
}
