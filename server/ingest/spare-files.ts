// Files that are not needed any more, kept for the next upload: writing over blocks and cached pages that are there is
// several times cheaper than getting new ones, for the disk's journal as well. What they held is never read again,
// since only what has arrived is.

import { renameSync, unlink } from "node:fs";
import { join } from "node:path";

/** Most bytes kept in reserve; a file beyond that is deleted. */
const SPARE_BYTES_MAX = 512 * 1024 * 1024;
const PREFIX = "spare-";

/** The spare files of one folder. */
export class SpareFiles {
  readonly #folder: string;
  readonly #spares: { readonly path: string; readonly bytes: number }[] = [];
  #bytes = 0;
  #given = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Deletes what an earlier process had in reserve; `names` are the files of the folder. */
  clear(names: readonly string[]): void {
    for (const name of names) if (isSpare(name)) this.#delete(join(this.#folder, name));
  }

  /** Takes over a closed file that nobody needs; `bytes` is its length. */
  give(path: string, bytes: number): void {
    // A name of its own, so that its deletion, which is not waited for, hits no file of an upload.
    const spare = join(this.#folder, `${PREFIX}${process.pid}-${++this.#given}`);
    renameSync(path, spare);
    if (this.#bytes + bytes > SPARE_BYTES_MAX) {
      this.#delete(spare);
      return;
    }
    this.#spares.push({ path: spare, bytes });
    this.#bytes += bytes;
  }

  /** Gives a file the name `path`, if one is in reserve. */
  take(path: string): void {
    const spare = this.#spares.pop();
    if (spare === undefined) return;
    this.#bytes -= spare.bytes;
    renameSync(spare.path, path);
  }

  #delete(path: string): void {
    // One that cannot be deleted is tried again at the next start.
    unlink(path, () => undefined);
  }
}

/** True for a name that `give` made: those of uploads have a dot. */
export function isSpare(name: string): boolean {
  return name.startsWith(PREFIX) && !name.includes(".");
}
