// The files of one source, one after the other: by name where the owner's path holds `*` or `?`, otherwise whatever has
// that one name, which changes when files are rotated.

import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Segment } from "./file-ledger.js";
import { idOf } from "./file-reader.js";

/** Looks, and waits for nothing: undefined means that there is no such file now. */
export class FileSequence {
  readonly isPattern: boolean;
  readonly #path: string;
  readonly #isFollowed: boolean;

  constructor({ path, isFollowed }: { readonly path: string; readonly isFollowed: boolean }) {
    this.isPattern = isPattern(path);
    this.#path = path;
    this.#isFollowed = isFollowed;
  }

  async first(): Promise<string | undefined> {
    return (await this.#list())[0];
  }

  /** What comes after a file that was read to its end. One that is followed and was cut off comes again. */
  async after(file: string): Promise<string | undefined> {
    const files = await this.#list();
    if (!this.isPattern) return this.#isFollowed ? files[0] : undefined;
    return (
      files.find((each) => each > file) ??
      (this.#isFollowed ? files.find((each) => each === file) : undefined)
    );
  }

  /** True when whoever writes has gone on to another file. */
  async hasGoneOn(file: string, id: string): Promise<boolean> {
    if (this.isPattern) return (await this.#list()).some((each) => each > file);
    const now = await fileId(this.#path);
    return now !== undefined && now !== id;
  }

  /** Where a file is that was read before: a rotated one has the same folder, and a name that begins as it did. */
  async locate({ file, id }: Segment): Promise<string | undefined> {
    if ((await fileId(file)) === id) return file;
    const stem = basename(file).replace(/\..*$/, "");
    const names = await readdir(dirname(file)).catch(() => []);
    for (const name of names.filter((name) => name.startsWith(stem)).sort()) {
      const candidate = join(dirname(file), name);
      if ((await fileId(candidate)) === id) return candidate;
    }
    return undefined;
  }

  /** By code units: the same order in every locale. A folder that cannot be read has none. */
  async #list(): Promise<readonly string[]> {
    if (!this.isPattern) return (await fileId(this.#path)) === undefined ? [] : [this.#path];
    const folder = dirname(this.#path);
    const names = await readdir(folder).catch(() => []);
    return names
      .filter(matcherOf(basename(this.#path)))
      .sort()
      .map((name) => join(folder, name));
  }
}

/** True when a path stands for several files. */
export function isPattern(path: string): boolean {
  return /[*?]/.test(basename(path));
}

async function fileId(path: string): Promise<string | undefined> {
  try {
    return idOf(await stat(path, { bigint: true }));
  } catch {
    return undefined;
  }
}

function matcherOf(pattern: string): (name: string) => boolean {
  const source = pattern
    .split(/([*?])/)
    .map((part) => (part === "*" ? ".*" : part === "?" ? "." : part.replace(/[.+^${}()|[\]\\]/g, "\\$&")))
    .join("");
  const expression = new RegExp(`^${source}$`, "s");
  // As in a shell, hidden files must be asked for.
  return (name) => expression.test(name) && (!name.startsWith(".") || pattern.startsWith("."));
}
