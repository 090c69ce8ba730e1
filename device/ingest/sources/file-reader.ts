// The bytes of one file, unpacked when its name ends in ".gz". At its end it may be asked again: it may have grown.

import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";

/** Read at once. */
const CHUNK_BYTES = 64 * 1024;

/** An open file. */
export interface FileReader {
  /** What stays the same when the file is renamed. */
  readonly id: string;
  /** The next bytes, the caller's own; undefined at the end, for now. Rejects when they cannot be read. */
  read(): Promise<Uint8Array | undefined>;
  /** Bytes of the file as it is now, undefined where that says nothing. */
  size(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** Opens a file to be read from an offset of its unpacked content; that of a packed one is read and dropped. */
export async function openFile(path: string, offset: number): Promise<FileReader> {
  const handle = await open(path, "r");
  try {
    const id = idOf(await handle.stat({ bigint: true }));
    return path.endsWith(".gz")
      ? new PackedFile(handle, id, path, offset)
      : new PlainFile(handle, id, offset);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** What tells files apart, whatever their names. */
export function idOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev}:${ino}`;
}

class PlainFile implements FileReader {
  readonly id: string;
  readonly #handle: FileHandle;
  #offset: number;

  constructor(handle: FileHandle, id: string, offset: number) {
    this.#handle = handle;
    this.id = id;
    this.#offset = offset;
  }

  async read(): Promise<Uint8Array | undefined> {
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const { bytesRead } = await this.#handle.read(buffer, 0, CHUNK_BYTES, this.#offset);
    this.#offset += bytesRead;
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

class PackedFile implements FileReader {
  readonly id: string;
  readonly #handle: FileHandle;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #skip: number;

  constructor(handle: FileHandle, id: string, path: string, offset: number) {
    this.id = id;
    this.#handle = handle;
    this.#skip = offset;
    // An error reaches the reader through the stream: the callback has nothing to add.
    const unpacked = pipeline(createReadStream(path), createGunzip(), () => undefined);
    this.#chunks = unpacked[Symbol.asyncIterator]();
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return undefined;
      const dropped = Math.min(this.#skip, value.length);
      this.#skip -= dropped;
      if (dropped < value.length) return value.subarray(dropped);
    }
  }

  async size(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
    await this.#handle.close();
  }
}
