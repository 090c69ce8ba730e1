// Bytes into lines, whatever the chunks they come in. Lines are bounded: what is longer is skipped and told.

/** A line without its end, and where the next one begins. */
export interface Line {
  readonly bytes: Uint8Array;
  /** Bytes of the stream up to the line's end, that included. */
  readonly end: number;
}

const LF = 0x0a;
const CR = 0x0d;
const BOM = [0xef, 0xbb, 0xbf] as const;

/** Splits one stream. Empty lines are no lines. */
export class LineSplitter {
  readonly #lineBytesMax: number;
  readonly #onTooLong: (bytes: number) => void;
  /** Of the line that has begun. */
  #parts: Uint8Array[] = [];
  #length = 0;
  /** Bytes of the stream that were handed out or skipped, and where the line that has begun began. */
  #start: number;

  /** `offset`: where in the stream its first byte is. `onTooLong` hears the length of each line that was skipped. */
  constructor({
    lineBytesMax,
    offset = 0,
    onTooLong = () => undefined,
  }: {
    readonly lineBytesMax: number;
    readonly offset?: number;
    readonly onTooLong?: (bytes: number) => void;
  }) {
    this.#lineBytesMax = lineBytesMax;
    this.#onTooLong = onTooLong;
    this.#start = offset;
  }

  /** Bytes of a line that has no end yet. */
  get pendingBytes(): number {
    return this.#length;
  }

  /** Lines that end in the chunk. They may share its memory. */
  *push(chunk: Uint8Array): Iterable<Line> {
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      this.#add(chunk.subarray(from, at));
      from = at + 1;
      const line = this.#finish(1);
      if (line !== undefined) yield line;
    }
    this.#add(chunk.subarray(from));
  }

  /** The stream has ended: what is left is a line too. */
  *end(): Iterable<Line> {
    const line = this.#finish(0);
    if (line !== undefined) yield line;
  }

  #add(bytes: Uint8Array): void {
    this.#length += bytes.length;
    // Of a line that is too long only the length is kept.
    if (this.#length > this.#lineBytesMax) this.#parts = [];
    else if (bytes.length > 0) this.#parts.push(bytes);
  }

  #finish(endBytes: number): Line | undefined {
    const length = this.#length;
    const isFirst = this.#start === 0;
    this.#start += length + endBytes;
    const parts = this.#parts;
    this.#parts = [];
    this.#length = 0;
    if (length > this.#lineBytesMax) {
      this.#onTooLong(length);
      return undefined;
    }
    const whole = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    const bytes = trim(whole, isFirst);
    return bytes.length === 0 ? undefined : { bytes, end: this.#start };
  }
}

/** Without the CR of a CRLF, and without the mark that some programs put at the beginning of UTF-8. */
function trim(bytes: Uint8Array, isFirst: boolean): Uint8Array {
  const from = isFirst && BOM.every((byte, i) => bytes[i] === byte) ? BOM.length : 0;
  const to = bytes.at(-1) === CR ? bytes.length - 1 : bytes.length;
  return bytes.subarray(from, Math.max(from, to));
}
