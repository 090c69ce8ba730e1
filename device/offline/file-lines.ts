// The lines of one file or of the standard input, as many at once as one read brings.

import { HeadwaterError, messageOf } from "../../shared/error.js";
import { type FileReader, openFile } from "../ingest/sources/file-reader.js";
import { LineSplitter } from "../ingest/sources/lines.js";
import { MESSAGE_BYTES_MAX } from "../ingest/sources/port.js";

/** What stands for the standard input where a file is named. */
export const STDIN = "-";

/**
 * Lines in their order; `.gz` is unpacked. Longer ones than `MESSAGE_BYTES_MAX` are left out and told. Rejects with
 * `data-missing` when there is no such file, and with `data-invalid` when it cannot be read to its end.
 */
export async function* readLines(
  path: string,
  onTooLong: () => void,
): AsyncGenerator<readonly Uint8Array[], void> {
  const splitter = new LineSplitter({ lineBytesMax: MESSAGE_BYTES_MAX, onTooLong });
  for await (const chunk of path === STDIN ? readStdin() : readFile(path)) {
    yield Array.from(splitter.push(chunk), ({ bytes }) => bytes);
  }
  yield Array.from(splitter.end(), ({ bytes }) => bytes);
}

async function* readStdin(): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of process.stdin) yield Buffer.from(chunk);
}

async function* readFile(path: string): AsyncGenerator<Uint8Array, void> {
  const reader = await open(path);
  try {
    for (let chunk = await next(path, reader); chunk !== undefined; chunk = await next(path, reader)) {
      yield chunk;
    }
  } finally {
    await reader.close();
  }
}

async function open(path: string): Promise<FileReader> {
  try {
    return await openFile(path, 0);
  } catch (cause) {
    throw new HeadwaterError("data-missing", `cannot open the data: ${messageOf(cause)}`, { cause });
  }
}

async function next(path: string, reader: FileReader): Promise<Uint8Array | undefined> {
  try {
    return await reader.read();
  } catch (cause) {
    throw new HeadwaterError("data-invalid", `cannot read ${path} on: ${messageOf(cause)}`, { cause });
  }
}
