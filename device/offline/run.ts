// Files through a task's own decoders and pipeline, as a device would take them: nothing here is another way.

import { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import { createPipeline, type Pipeline } from "../../shared/pipeline/pipeline.js";
import type { Example, FeatureRow, Reading, Split } from "../../shared/pipeline/types.js";
import type { DecodeSpec } from "../../shared/task/decode-spec.js";
import type { Task } from "../../shared/task/task.js";
import { matcherOf } from "../../shared/transport/topic-filter.js";
import { decoderOf, namesColumns, readSources } from "../ingest/decoders/of-task.js";
import { type Encoding, topicFor } from "./line-format.js";
import { type LineTaker, ReadingStream } from "./reading-stream.js";

/** One file of messages, a line each. */
export interface DataFile {
  /** "-" is the standard input. */
  readonly path: string;
  /** Whom its lines are for; undefined: whoever's topic filter they match. */
  readonly source: string | undefined;
}

/** Readings of one kind of place, in an order that the pipeline can take. */
export interface ReadingSource {
  /** Lines or messages read so far. */
  readonly lines: number;
  /** The next reading, undefined when more must be loaded first. */
  readonly head: Reading | undefined;
  advance(): void;
  /** Reads on until there is a next reading. Resolves to false at the end. */
  load(): Promise<boolean>;
  close(): Promise<void>;
}

/** What is run, and how lines become messages. */
export interface OfflineOptions {
  readonly task: Task;
  readonly files: readonly DataFile[];
  /** As whom: `{device}` of entities. */
  readonly device: DeviceId;
  /** Topic of lines that say none; undefined: one that fits the source's filter. */
  readonly topic: string | undefined;
  /** Every line begins with its topic. */
  readonly withTopic: boolean;
  /** Undefined: base64 where the source's format is binary, text otherwise. */
  readonly encoding: Encoding | undefined;
  /** When the first line came, and how much later each next one: for sources that are timed by arrival. */
  readonly arrival: { readonly fromMs: number; readonly everyMs: number };
  readonly sink: OfflineSink;
}

/** Takes what comes out, in bounded memory: a sink that is full is waited for. */
export interface OfflineSink {
  features(row: FeatureRow): void;
  example(example: Example): void;
  /** Hands on what was taken. Resolves when there is room for more; to false when nobody listens any more. */
  ready(): Promise<boolean>;
}

/** What came of a run. */
export interface OfflineResult {
  readonly lines: number;
  readonly readings: number;
  /** Of features. */
  readonly rows: number;
  readonly examples: Readonly<Record<Split, number>>;
  readonly counters: Counters;
  /** The sink has closed before the data ended. */
  readonly isCut: boolean;
}

/** Readings between two looks at whether the sink has room. */
const SLICE_READINGS = 256;

/**
 * Brings the readings of all files to the task's pipeline, several files in the order of event time, and closes it at
 * their end. Event time moves with the data alone. Rejects as `readLines`.
 */
export function runOffline(options: OfflineOptions): Promise<OfflineResult> {
  return runReadings({ ...options, open: (counters) => openStreams(options, counters) });
}

/** As `runOffline`, of readings from wherever. What is opened counts readings as `telemetry.taken`. */
export async function runReadings({
  task,
  sink,
  open,
}: Pick<OfflineOptions, "task" | "sink"> & {
  readonly open: (counters: Counters) => Promise<readonly ReadingSource[]>;
}): Promise<OfflineResult> {
  const counters = new Counters();
  const tally = new Tally(sink);
  const pipeline = createPipeline(task, { counters, sink: tally });
  const streams = await open(counters);
  try {
    const isWhole = await pump(streams, pipeline, sink);
    if (isWhole) pipeline.flush();
    return {
      lines: streams.reduce((sum, { lines }) => sum + lines, 0),
      readings: counters.get("telemetry.taken"),
      rows: tally.rows,
      examples: tally.examples,
      counters,
      isCut: !isWhole || !(await sink.ready()),
    };
  } finally {
    for (const stream of streams) await stream.close();
  }
}

/** Resolves to false when the sink closed before the end of the data. */
async function pump(
  streams: readonly ReadingSource[],
  pipeline: Pipeline,
  sink: OfflineSink,
): Promise<boolean> {
  let open: ReadingSource[] = [];
  for (const stream of streams) if (await stream.load()) open.push(stream);
  let newestMs = Number.NEGATIVE_INFINITY;
  let count = 0;
  while (open.length > 0) {
    const stream = earliest(open);
    const reading = stream.head!;
    stream.advance();
    // The clock of a replay: what a source's silence means is told by the others.
    newestMs = Math.max(newestMs, reading.timeMs);
    pipeline.push(reading, newestMs);
    // A pipe may have no more to say for hours: what is there goes out first.
    if ((stream.head === undefined || ++count % SLICE_READINGS === 0) && !(await sink.ready())) return false;
    if (stream.head === undefined && !(await stream.load())) open = open.filter((other) => other !== stream);
  }
  return true;
}

/** Of two at one time the one named first. */
function earliest(streams: readonly ReadingSource[]): ReadingSource {
  let first = streams[0]!;
  for (const stream of streams) if (stream.head!.timeMs < first.head!.timeMs) first = stream;
  return first;
}

async function openStreams(
  { task, files, device, topic, withTopic, encoding, arrival }: OfflineOptions,
  counters: Counters,
): Promise<readonly ReadingStream[]> {
  const layouts = readSources(task);
  const takerFor = async (name: string, path: string): Promise<LineTaker[]> => {
    const layout = layouts.find((layout) => layout.name === name);
    const source = task.sources[name];
    if (layout === undefined || source === undefined) return [];
    return [
      {
        decode: await decoderOf(task, layout, { device, isHost: source.host !== undefined }),
        encoding: encoding ?? encodingOf(source.decode),
        topic: topic ?? topicFor(source.mqtt, path),
        matches: source.mqtt === undefined ? () => true : matcherOf(source.mqtt),
      },
    ];
  };
  return Promise.all(
    files.map(async ({ path, source }) => {
      const names = source === undefined ? layouts.map(({ name }) => name) : [source];
      const takers = await Promise.all(names.map((name) => takerFor(name, path)));
      return new ReadingStream({
        ...{ path, withTopic, counters },
        takers: takers.flat(),
        hasHeader: !withTopic && names.some((name) => namesColumns(task.sources[name]!)),
        arrivalOf: (line) => arrival.fromMs + line * arrival.everyMs,
      });
    }),
  );
}

/** What a format's messages look like as lines when nobody says. */
function encodingOf(decode: DecodeSpec): Encoding {
  switch (decode.kind) {
    case "msgpack":
    case "cbor":
    case "senml-cbor":
    case "sparkplug":
      return "base64";
    case "samples":
      return decode.json === undefined ? "base64" : "text";
    default:
      return "text";
  }
}

/** Counts what passes. */
class Tally {
  readonly #sink: OfflineSink;
  readonly examples: Record<Split, number> = { train: 0, validation: 0, test: 0 };
  rows = 0;

  constructor(sink: OfflineSink) {
    this.#sink = sink;
  }

  features(row: FeatureRow): void {
    this.rows++;
    this.#sink.features(row);
  }

  example(example: Example): void {
    this.examples[example.split]++;
    this.#sink.example(example);
  }
}
