// Files as the server's stores use them: whole reads and writes, faults in our words, few descriptors.

import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { HeadwaterError, messageOf } from "../../shared/error.js";

/** Fills `target` from the file's first byte. */
export function readWhole(file: number, target: Uint8Array): void {
  for (let done = 0; done < target.length; ) {
    const bytes = readSync(file, target, done, target.length - done, done);
    if (bytes === 0) throw new Error(`ends after ${done} bytes of ${target.length}`);
    done += bytes;
  }
}

/** Writes all of `data` at `offset`. */
export function writeWhole(file: number, data: Uint8Array, offset: number): void {
  for (let done = 0; done < data.length; ) {
    done += writeSync(file, data, done, data.length - done, offset + done);
  }
}

/** What `action` returns; what it throws becomes `storage-full` or `storage-failed`, naming `path`. */
export function attemptFile<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw storageError(path, error);
  }
}

export function storageError(path: string, error: unknown): HeadwaterError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  return new HeadwaterError(isFull ? "storage-full" : "storage-failed", `${path}: ${messageOf(error)}`, {
    cause: error,
  });
}

/** Descriptors by path, the least recently used one closed for a new one. */
export class OpenFiles {
  readonly #limit: number;
  /** In order of use. */
  readonly #descriptors = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A descriptor to read and write `path`, which is created if need be. Valid until the next call. */
  use(path: string): number {
    const descriptor = this.#descriptors.get(path) ?? openSync(path, constants.O_RDWR | constants.O_CREAT);
    this.#descriptors.delete(path);
    this.#descriptors.set(path, descriptor);
    const [oldest] = this.#descriptors.keys();
    if (this.#descriptors.size > this.#limit && oldest !== undefined) this.close(oldest);
    return descriptor;
  }

  close(path: string): void {
    const descriptor = this.#descriptors.get(path);
    if (descriptor === undefined) return;
    this.#descriptors.delete(path);
    closeSync(descriptor);
  }

  closeAll(): void {
    for (const path of [...this.#descriptors.keys()]) this.close(path);
  }
}
