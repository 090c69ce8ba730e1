// One file as readings: its lines through the decoders of the sources that they are for.

import type { Counters } from "../../shared/counters.js";
import type { Reading } from "../../shared/pipeline/types.js";
import type { TopicMatcher } from "../../shared/transport/topic-filter.js";
import type { Decode } from "../ingest/decoders/port.js";
import { readLines } from "./file-lines.js";
import { decodeLine, type Encoding, splitTopic } from "./line-format.js";

/** A source that takes lines of a file. */
export interface LineTaker {
  readonly decode: Decode;
  readonly encoding: Encoding;
  /** Of lines that say none. */
  readonly topic: string;
  /** Of lines that name their topic: whether this one is the source's. */
  readonly matches: TopicMatcher;
}

/** How the lines of a file are read. */
export interface StreamOptions {
  readonly path: string;
  readonly takers: readonly LineTaker[];
  /** Every line begins with its topic. */
  readonly withTopic: boolean;
  /** The first line names the columns of all others. */
  readonly hasHeader: boolean;
  /** When a line came, by its number from 0: the event time of sources that are timed by arrival. */
  readonly arrivalOf: (line: number) => number;
  /** Readings are counted as `telemetry.taken`, what was not taken as `telemetry.<reason>`. */
  readonly counters: Counters;
}

/** Readings of one file, in the order of its lines. In memory is what one read of the file brought. */
export class ReadingStream {
  readonly #options: StreamOptions;
  readonly #chunks: AsyncGenerator<readonly Uint8Array[], void>;
  #header: Uint8Array | undefined;
  #lines = 0;
  #readings: Reading[] = [];
  #next = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#chunks = readLines(options.path, () => options.counters.add("telemetry.line-too-long"));
  }

  /** Lines read so far, a header not counted. */
  get lines(): number {
    return this.#lines;
  }

  /** The next reading, undefined when more must be loaded first. */
  get head(): Reading | undefined {
    return this.#readings[this.#next];
  }

  /** Goes on to the reading after the next one. */
  advance(): void {
    this.#next++;
  }

  /** Reads on until there is a next reading. Resolves to false at the end. Rejects as `readLines`. */
  async load(): Promise<boolean> {
    while (this.head === undefined) {
      const { value: lines } = await this.#chunks.next();
      if (lines === undefined) return false;
      this.#readings = [];
      this.#next = 0;
      for (const line of lines) this.#take(line);
    }
    return true;
  }

  async close(): Promise<void> {
    await this.#chunks.return();
  }

  #take(line: Uint8Array): void {
    const { withTopic, hasHeader, arrivalOf, takers, counters } = this.#options;
    if (hasHeader && this.#header === undefined) {
      this.#header = Buffer.concat([line, LF]);
      return;
    }
    const arrivalMs = arrivalOf(this.#lines++);
    const parsed = withTopic ? splitTopic(line) : { topic: undefined, payload: line };
    if (parsed === undefined) {
      counters.add("telemetry.no-topic");
      return;
    }
    const { topic, payload } = parsed;
    const found = topic === undefined ? takers : takers.filter(({ matches }) => matches(topic));
    if (found.length === 0) counters.add("telemetry.other-topic");
    for (const taker of found) this.#decode(taker, { topic: topic ?? taker.topic, payload, arrivalMs });
  }

  #decode(
    { decode, encoding }: LineTaker,
    line: { readonly topic: string; readonly payload: Uint8Array; readonly arrivalMs: number },
  ): void {
    const { counters } = this.#options;
    const body = decodeLine(line.payload, encoding);
    if (body === undefined) {
      counters.add(`telemetry.not-${encoding}`);
      return;
    }
    const payload = this.#header === undefined ? body : Buffer.concat([this.#header, body]);
    const { readings, faults, badValues } = decode({ ...line, payload });
    for (const fault of faults) counters.add(`telemetry.${fault}`);
    if (badValues > 0) counters.add("telemetry.bad-value", badValues);
    if (readings.length > 0) counters.add("telemetry.taken", readings.length);
    this.#readings.push(...readings);
  }
}

const LF = Uint8Array.of(0x0a);
