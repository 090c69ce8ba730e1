// The lines of one open file, as far as it goes, and on when it grows.

import type { FileReader } from "./file-reader.js";
import { type Line, LineSplitter } from "./lines.js";
import { MESSAGE_BYTES_MAX } from "./port.js";

export interface FileLinesOptions {
  /** Opened at its beginning when there is a header, at `offset` otherwise. */
  readonly reader: FileReader;
  /** Lines before it are left out. */
  readonly offset: number;
  /** The first line names the columns: every other is handed on below it. */
  readonly hasHeader: boolean;
  /** What to do at the end of what there is: look again, take what is left as the last line, or stop. */
  readonly atEnd: (readBytes: number) => Promise<"again" | "end" | "stop">;
  readonly onTooLong: (bytes: number) => void;
}

/** One pass over a file. */
export class FileLines {
  readonly #options: FileLinesOptions;
  readonly #splitter: LineSplitter;
  #readBytes: number;
  #header: Uint8Array | undefined;

  constructor(options: FileLinesOptions) {
    const { hasHeader, offset: wanted, onTooLong } = options;
    const offset = hasHeader ? 0 : wanted;
    this.#options = options;
    this.#readBytes = offset;
    this.#splitter = new LineSplitter({ lineBytesMax: MESSAGE_BYTES_MAX, offset, onTooLong });
  }

  /** Bytes of the file that were read, from its beginning. */
  get readBytes(): number {
    return this.#readBytes;
  }

  /** Where the next line begins, from the file's beginning. */
  get lineStart(): number {
    return Math.max(this.#options.offset, this.#readBytes - this.#splitter.pendingBytes);
  }

  /** Lines with where they end in the file. Rejects when the file cannot be read on. */
  async *read(): AsyncIterable<Line> {
    const { reader, atEnd } = this.#options;
    for (;;) {
      const chunk = await reader.read();
      if (chunk !== undefined) {
        this.#readBytes += chunk.length;
        yield* this.#handOn(this.#splitter.push(chunk));
        continue;
      }
      const what = await atEnd(this.#readBytes);
      if (what === "again") continue;
      if (what === "end") yield* this.#handOn(this.#splitter.end());
      return;
    }
  }

  *#handOn(lines: Iterable<Line>): Iterable<Line> {
    const { hasHeader, offset } = this.#options;
    for (const line of lines) {
      if (hasHeader && this.#header === undefined) this.#header = Buffer.concat([line.bytes, LF]);
      else if (line.end > offset) yield this.#header === undefined ? line : below(this.#header, line);
    }
  }
}

const LF = Uint8Array.of(0x0a);

function below(header: Uint8Array, { bytes, end }: Line): Line {
  return { bytes: Buffer.concat([header, bytes]), end };
}
