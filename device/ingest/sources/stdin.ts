// Lines of the standard input, each a message: whatever another program writes into a pipe.

import { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { StdinBinding } from "./binding.js";
import { type Line, LineSplitter } from "./lines.js";
import {
  type BoundSource,
  MESSAGE_BYTES_MAX,
  type Source,
  type SourceContext,
  type SourceKind,
} from "./port.js";
import { SourceQueue } from "./queue.js";

/** `stdin`. */
export const stdinKind: SourceKind<StdinBinding> = {
  doc: "Lines of the standard input; the topic is stdin unless the owner names one.",
  example: `sources:
  meter: { stdin: true }
`,
  keyOf: () => "stdin",
  open: async ([source], context) => new StdinSource(source!, context, feedOf(process.stdin)),
};

/** Lines of a stream that outlives its readers: what one has not taken, the next one gets. */
export class LineFeed {
  readonly #input: Readable;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #splitter: LineSplitter;
  #lines: Iterator<Line> = [][Symbol.iterator]();
  #reading: Promise<IteratorResult<Uint8Array>> | undefined;
  #onTooLong: (bytes: number) => void = () => undefined;
  /** The first line, once somebody has asked for it. */
  #header: Uint8Array | undefined;
  #putBack: Uint8Array | undefined;

  constructor(input: Readable) {
    this.#input = input;
    this.#chunks = input[Symbol.asyncIterator]();
    this.#splitter = new LineSplitter({
      lineBytesMax: MESSAGE_BYTES_MAX,
      onTooLong: (bytes) => this.#onTooLong(bytes),
    });
  }

  /** Whether the process stays for the next line: a pipe that nobody closes must not hold it up when nobody reads. */
  keepAlive(isNeeded: boolean): void {
    if (!(this.#input instanceof Socket)) return;
    if (isNeeded) this.#input.ref();
    else this.#input.unref();
  }

  /** The first line of all, which the other lines are then without. */
  async header(signal: AbortSignal): Promise<Uint8Array | undefined> {
    this.#header ??= await this.next(signal, () => undefined);
    return this.#header;
  }

  /** The line was not taken: it is the next one again. */
  putBack(line: Uint8Array): void {
    this.#putBack = line;
  }

  /** The next line; undefined at the end, and when the signal aborts first. */
  async next(signal: AbortSignal, onTooLong: (bytes: number) => void): Promise<Uint8Array | undefined> {
    this.#onTooLong = onTooLong;
    while (!signal.aborted) {
      const again = this.#putBack;
      this.#putBack = undefined;
      if (again !== undefined) return again;
      const { value, done } = this.#lines.next();
      if (done !== true) return value.bytes;
      this.#reading ??= this.#chunks.next();
      const read = await unlessAborted(this.#reading, signal);
      if (read === undefined) return undefined;
      this.#reading = undefined;
      if (read.done === true) return this.#last();
      this.#lines = this.#splitter.push(read.value)[Symbol.iterator]();
    }
    return undefined;
  }

  #last(): Uint8Array | undefined {
    const [line] = this.#splitter.end();
    return line?.bytes;
  }
}

const feeds = new WeakMap<Readable, LineFeed>();

function feedOf(input: Readable): LineFeed {
  const feed = feeds.get(input) ?? new LineFeed(input);
  feeds.set(input, feed);
  return feed;
}

/** Reads from its making until the stream's end, or until closed. */
export class StdinSource implements Source {
  readonly isConnected = true;
  readonly #source: BoundSource<StdinBinding>;
  readonly #context: SourceContext;
  readonly #feed: LineFeed;
  readonly #end = new AbortController();
  readonly #running: Promise<void>;

  constructor(source: BoundSource<StdinBinding>, context: SourceContext, feed: LineFeed) {
    this.#source = source;
    this.#context = context;
    this.#feed = feed;
    feed.keepAlive(true);
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#running;
    this.#feed.keepAlive(false);
  }

  async #run(): Promise<void> {
    const { name, hasHeader, binding } = this.#source;
    const { log, clock, onEnd } = this.#context;
    const { signal } = this.#end;
    const queue = new SourceQueue({ ...this.#context, limits: binding.limits, signal });
    const topic = binding.topic ?? "stdin";
    const header = hasHeader ? await this.#feed.header(signal) : undefined;
    const onTooLong = (bytes: number) => log.note(name, "line-too-long", { bytes, limit: MESSAGE_BYTES_MAX });
    for (
      let line = await this.#feed.next(signal, onTooLong);
      line !== undefined;
      line = await this.#feed.next(signal, onTooLong)
    ) {
      const payload = header === undefined ? line : Buffer.concat([header, LF, line]);
      const isSafe = await queue.post({ source: name, topic, payload, arrivalMs: clock.now() });
      if (!isSafe) this.#feed.putBack(line);
    }
    if (!signal.aborted) onEnd(name);
  }
}

const LF = Uint8Array.of(0x0a);

/** What the promise resolves to, or undefined when the signal aborts first. */
async function unlessAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve(undefined);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
