// Lines of files, each a message: once from beginning to end, or for ever as they grow and are rotated. The topic is the
// file's name without its endings, unless the owner names one.

import { basename, join } from "node:path";
import { sleep } from "../../../shared/clock.js";
import { HeadwaterError, messageOf } from "../../../shared/error.js";
import { Retry } from "../../../shared/retry.js";
import type { FileBinding } from "./binding.js";
import { FileLedger } from "./file-ledger.js";
import { FileLines } from "./file-lines.js";
import { type FileReader, openFile } from "./file-reader.js";
import { FileSequence } from "./file-sequence.js";
import {
  type BoundSource,
  MESSAGE_BYTES_MAX,
  type Source,
  type SourceContext,
  type SourceKind,
} from "./port.js";
import { SourceQueue } from "./queue.js";

/** `file`. */
export const fileKind: SourceKind<FileBinding> = {
  doc: "Lines of a file or, by `*` and `?` in its name, of several in the order of their names; `.gz` is unpacked.",
  example: `sources:
  meter: { file: readings.csv, follow: true }
  history: { file: "archive/2026-*.jsonl.gz" }
`,
  keyOf: ({ name }) => name,
  open: async ([source], context) => new FileSource(source!, context),
};

/** How often a file that is followed is looked at, and a folder. */
const FILE_POLL_MS = 250;
const FOLDER_POLL_MS = 1_000;
/** Between attempts with files that are not there or cannot be read. */
const RETRY = { firstMs: 1_000, maxMs: 30_000, jitter: 0 } as const;

/** Where a file is read from, and where that is in the stream. */
interface Place {
  readonly file: string;
  readonly offset: number;
  /** Of the file's first byte. */
  readonly start: number;
}

/** Reads from its making until the end, or until closed. */
class FileSource implements Source {
  readonly #source: BoundSource<FileBinding>;
  readonly #context: SourceContext;
  readonly #files: FileSequence;
  readonly #queue: SourceQueue;
  readonly #ledger: FileLedger;
  readonly #retry: Retry;
  readonly #end = new AbortController();
  readonly #running: Promise<void>;
  #isOpen = false;

  constructor(source: BoundSource<FileBinding>, context: SourceContext) {
    const { name, binding } = source;
    const { folder, random } = context;
    this.#source = source;
    this.#context = context;
    this.#files = new FileSequence(binding);
    this.#queue = new SourceQueue({ ...context, limits: binding.limits, signal: this.#end.signal });
    const place = folder === undefined ? undefined : join(folder, "sources", `${name}.json`);
    this.#ledger = new FileLedger({ place, path: binding.path });
    this.#retry = new Retry(RETRY, random);
    this.#running = this.#run();
  }

  get isConnected(): boolean {
    return this.#isOpen;
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let at = await this.#first(); at !== undefined; at = await this.#goOn(at));
    if (!this.#end.signal.aborted) this.#context.onEnd(this.#source.name);
  }

  /** Where to begin: where a position says to go on, or at the beginning of the first file. */
  async #first(): Promise<Place | undefined> {
    const position = this.#context.positionOf(this.#source.name);
    const segment = position === undefined ? undefined : this.#ledger.find(position);
    if (position === undefined || segment === undefined) {
      return this.#await(() => this.#files.first(), position ?? 0);
    }
    const offset = position - segment.start;
    const file = await this.#files.locate(segment);
    if (file !== undefined) return { file, offset, start: segment.start };
    this.#note("file-gone", { file: segment.file, offset });
    return this.#after(segment.file, position);
  }

  /** Reads a file as far as it goes; answers what comes then, undefined at the end of everything. */
  async #goOn(at: Place): Promise<Place | undefined> {
    const { outcome, lineStart, readBytes } = await this.#read(at);
    if (outcome === "stopped") return undefined;
    if (outcome === "broken" && this.#source.binding.isFollowed) {
      await this.#sleep(this.#retry.next());
      return this.#end.signal.aborted ? undefined : { ...at, offset: lineStart };
    }
    this.#retry.reset();
    return this.#after(at.file, at.start + readBytes);
  }

  async #after(file: string, start: number): Promise<Place | undefined> {
    if (this.#source.binding.isFollowed) return this.#await(() => this.#files.after(file), start);
    const next = await this.#files.after(file);
    return next === undefined ? undefined : { file: next, offset: 0, start };
  }

  /** Waits for a file to be there; undefined when the source is closed. */
  async #await(find: () => Promise<string | undefined>, start: number): Promise<Place | undefined> {
    while (!this.#end.signal.aborted) {
      const file = await find();
      if (file !== undefined) return { file, offset: 0, start };
      this.#note("no-file", { path: this.#source.binding.path });
      await this.#sleep(this.#retry.next());
    }
    return undefined;
  }

  async #read(at: Place) {
    const { hasHeader } = this.#source;
    let lines: FileLines | undefined;
    let outcome: "ended" | "stopped" | "broken" = "broken";
    try {
      const reader = await openFile(at.file, hasHeader ? 0 : at.offset);
      this.#begin(at, reader);
      lines = new FileLines({
        ...{ reader, hasHeader, offset: at.offset, atEnd: this.#watch(at.file, reader) },
        onTooLong: (bytes) => this.#note("line-too-long", { file: at.file, bytes, limit: MESSAGE_BYTES_MAX }),
      });
      try {
        outcome = await this.#handOn(at, lines);
      } finally {
        await reader.close();
      }
    } catch (error) {
      this.#note("file-broken", { file: at.file, error: messageOf(error) });
    }
    const { readBytes = at.offset, lineStart = at.offset } = lines ?? {};
    return { outcome, readBytes, lineStart };
  }

  #begin({ file, start }: Place, { id }: FileReader): void {
    this.#isOpen = true;
    try {
      this.#ledger.begin({ file, id, start });
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      // It is read all the same: only a restart would not know where it was.
      this.#note("place-not-kept", { file, error: messageOf(error) });
    }
  }

  async #handOn({ file, start }: Place, lines: FileLines): Promise<"ended" | "stopped"> {
    const { name, binding } = this.#source;
    const topic = binding.topic ?? topicOf(file);
    for await (const { bytes: payload, end } of lines.read()) {
      const arrivalMs = this.#context.clock.now();
      const message = { source: name, topic, payload, arrivalMs, position: start + end };
      if (!(await this.#queue.post(message))) return "stopped";
    }
    return this.#end.signal.aborted ? "stopped" : "ended";
  }

  /** What to do each time a file seems to be at its end. */
  #watch(file: string, reader: FileReader): (readBytes: number) => Promise<"again" | "end" | "stop"> {
    let hasGoneOn = false;
    return async (readBytes) => {
      if (!this.#source.binding.isFollowed || hasGoneOn) return "end";
      await this.#sleep(this.#files.isPattern ? FOLDER_POLL_MS : FILE_POLL_MS);
      if (this.#end.signal.aborted) return "stop";
      const size = await reader.size();
      if (size !== undefined && size < readBytes) return "end";
      // What was written to it before its writer went on is still to be read.
      hasGoneOn = await this.#files.hasGoneOn(file, reader.id);
      return "again";
    };
  }

  /** Never rejects: whoever waits looks at the signal. */
  async #sleep(ms: number): Promise<void> {
    await sleep(this.#context.clock, ms, this.#end.signal).catch(() => undefined);
  }

  #note(reason: string, fields: object): void {
    this.#context.log.note(this.#source.name, reason, { ...fields });
  }
}

/** The topic of a file that its owner names none for: its name without its endings. */
export function topicOf(file: string): string {
  // The characters that MQTT keeps for filters are in no topic.
  return basename(file)
    .replace(/\..*$/, "")
    .replace(/[+#\0]/g, "_");
}
