// Files of a dataset: found by pattern, unpacked, and named in every complaint.

import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { createGunzip, gunzipSync } from "node:zlib";
import { HeadwaterError, messageOf } from "../../shared/error.js";

/** A file read whole: at most this many bytes unpacked, so that a hostile archive cannot fill the memory. */
const MAX_BYTES = 1024 ** 3;

/**
 * Paths of the files that match `pattern` (`*` within a name) in `folder`, or failing that in the first folder right
 * below it that has any; sorted by name. Throws `data-missing` naming pattern and folder.
 */
export function findFiles(folder: string | undefined, pattern: string): readonly string[] {
  if (folder === undefined) {
    throw new HeadwaterError(
      "data-missing",
      `${pattern}: no data folder; name it with --data or HEADWATER_DATA`,
    );
  }
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new HeadwaterError("data-missing", `the data folder ${folder} is not there`);
  }
  for (const place of [folder, ...foldersIn(folder)]) {
    const found = matching(join(place, dirname(pattern)), basename(pattern));
    if (found.length > 0) return found;
  }
  throw new HeadwaterError(
    "data-missing",
    `no file matches ${pattern} in ${folder} or a folder right below it`,
  );
}

/** The file's bytes as a stream, unpacked when its name ends in ".gz". */
export function openUnpacked(path: string): Readable {
  const bytes = createReadStream(path);
  // An error reaches the reader through the stream that is returned: the callback has nothing to add.
  return path.endsWith(".gz") ? pipeline(bytes, createGunzip(), () => undefined) : bytes;
}

/** The file's bytes, unpacked when its name ends in ".gz". Throws `data-invalid` for a broken archive. */
export function readUnpacked(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    return path.endsWith(".gz") ? gunzipSync(bytes, { maxOutputLength: MAX_BYTES }) : bytes;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** What to say of a file that cannot be read to its end. */
export function unreadable(path: string, cause: unknown): HeadwaterError {
  return new HeadwaterError("data-invalid", `${path} cannot be read: ${messageOf(cause)}`, { cause });
}

function foldersIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name))
    .sort();
}

function matching(folder: string, pattern: string): readonly string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`);
  return readdirSync(folder)
    .filter((name) => expression.test(name))
    .sort()
    .map((name) => join(folder, name));
}
