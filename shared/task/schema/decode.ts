// `decode`: the format of a source's messages, and which of the source's other keys go with it.

import { z } from "zod";
import type { DecodeSpec, TimeSpec } from "../decode-spec.js";
import { alternatives } from "../problem.js";
import { didYouMean } from "../suggest.js";
import { type Choice, oneKey } from "./choice.js";
import { isPath, PATH_RULE } from "./path.js";
import { samples } from "./samples.js";
import { zone } from "./time.js";

const label = z.string().min(1).max(256);

const csv = z.strictObject({
  columns: z
    .array(label)
    .min(1)
    .max(1024)
    .optional()
    .describe("Names of the columns. Default: the first line of every message names them."),
  delimiter: z.enum([",", ";", "\t", "|", " "]).prefault(",").describe("Between two values."),
  missing: z
    .array(z.string().max(64))
    .max(16)
    .prefault(["", "NA", "NaN", "null"])
    .describe("Texts that stand for no value."),
});

const zigbee2mqtt = z.strictObject({
  base: label.prefault("zigbee2mqtt").describe("The base topic; what follows it is {tag.name}."),
});

const tasmota = z.strictObject({
  zone: zone.optional().describe("Time zone of the device's clock. Default: that of this machine."),
});

const influx = z.strictObject({
  measurement: label.optional().describe("Take only lines of this measurement. Default: all."),
  precision: z.enum(["ns", "us", "ms", "s"]).prefault("ns").describe("Unit of the lines' timestamps."),
});

const withOptions = { csv, zigbee2mqtt, tasmota, influx, samples };

const plainKinds = [
  ...(["json", "msgpack", "cbor", "shelly"] as const),
  ...(["number", "boolean", "text", "esphome", "homeassistant"] as const),
  ...(["senml", "senml-cbor", "sparkplug"] as const),
] as const;
const words = [...plainKinds, "csv", "zigbee2mqtt", "tasmota", "influx"] as const;

type Chosen = { readonly kind: (typeof plainKinds)[number] } | Choice<typeof withOptions>;

/** A format by its name, or a map from its name to its own options. */
export const decode = z
  .union([z.enum(words), oneKey(withOptions)], { error: ({ input }) => explain(input) })
  .prefault("json")
  .transform((value): Chosen => (typeof value === "string" ? byWord(value) : value))
  .describe("The format of a message: a word, or {format: options}.");

function explain(input: unknown): string {
  const expected = `expected ${alternatives([...words, "samples"])}, or one with its options such as {csv: {columns: [ts, temp]}}`;
  if (input === "samples")
    return "expected samples with its options: {samples: {type, channels, length, rate}}";
  return typeof input === "string" ? expected + didYouMean(input, [...words, "samples"]) : expected;
}

function byWord(word: (typeof words)[number]): Chosen {
  switch (word) {
    case "csv":
      return { kind: word, value: csv.parse({}) };
    case "zigbee2mqtt":
      return { kind: word, value: zigbee2mqtt.parse({}) };
    case "tasmota":
      return { kind: word, value: tasmota.parse({}) };
    case "influx":
      return { kind: word, value: influx.parse({}) };
    default:
      return { kind: word };
  }
}

/** What a format does with the keys beside `decode`. */
interface Traits {
  /** What `fields` holds: paths into objects, names, names out of the topic, or nothing: it has one field or channels. */
  readonly places: "paths" | "names" | "topic" | "one-field" | "channels";
  /** Where the event time is unless the task says otherwise. */
  readonly clock: TimeSpec;
  /** Where else it may be, besides `arrival`. */
  readonly clocks: readonly TimeSpec["kind"][];
}

const ARRIVAL: TimeSpec = { kind: "arrival" };
const FIELD: TimeSpec = { kind: "field", field: "ts", unit: "s" };
const MESSAGE: TimeSpec = { kind: "message" };

const objects: Traits = { places: "paths", clock: FIELD, clocks: ["field"] };
const named: Traits = { places: "names", clock: MESSAGE, clocks: ["message"] };
const single: Traits = { places: "one-field", clock: ARRIVAL, clocks: [] };
const byTopic: Traits = { places: "topic", clock: ARRIVAL, clocks: [] };

function traitsOf(chosen: Chosen): Traits {
  switch (chosen.kind) {
    case "json":
    case "msgpack":
    case "cbor":
      return objects;
    case "zigbee2mqtt":
      return { ...objects, clock: ARRIVAL };
    case "tasmota":
      return { ...objects, clock: { kind: "field", field: "Time", unit: "local", ...chosen.value } };
    case "shelly":
      return { ...named, places: "paths" };
    case "csv":
      return { ...objects, places: "names" };
    case "senml":
    case "senml-cbor":
    case "sparkplug":
    case "influx":
      return named;
    case "number":
    case "boolean":
    case "text":
      return single;
    case "esphome":
    case "homeassistant":
      return byTopic;
    case "samples":
      return samplesTraits(chosen.value);
  }
}

function samplesTraits({ header, json }: z.output<typeof samples>): Traits {
  const hasTime = header?.time !== undefined;
  if (json !== undefined) return { places: "channels", clock: FIELD, clocks: ["field"] };
  return hasTime
    ? { places: "channels", clock: MESSAGE, clocks: ["message"] }
    : { places: "channels", clock: ARRIVAL, clocks: [] };
}

/** The parts of a source that its format has a say in, as written. */
export interface DecodeParts {
  readonly mqtt?: string | undefined;
  readonly decode: Chosen;
  readonly fields?: Readonly<Record<string, string>> | undefined;
  readonly field?: string | undefined;
  readonly time?: TimeSpec | undefined;
  readonly vectors: Readonly<Record<string, number>>;
  readonly text: Readonly<Record<string, unknown>>;
  readonly id?: string | undefined;
}

/** Keys of a source that do not go with its format: key -> what is wrong. */
export function decodeProblems(parts: DecodeParts): readonly (readonly [keyof DecodeParts, string])[] {
  const { decode, time } = parts;
  const { places, clocks } = traitsOf(decode);
  const problems: [keyof DecodeParts, string][] = [];
  if (time !== undefined && time.kind !== "arrival" && !clocks.includes(time.kind))
    problems.push(["time", `expected ${clockChoices(clocks)} with decode: ${decode.kind}`]);
  const keys = keyProblems[places](parts);
  if (decode.kind === "sparkplug" && parts.mqtt !== undefined && !coversBirths(parts.mqtt))
    problems.push([
      "mqtt",
      "expected a filter that covers births and deaths too, such as spBv1.0/plant/+/press-1/#",
    ]);
  return [
    ...problems,
    ...keys.map(([key, message]) => [key, `${message} with decode: ${decode.kind}`] as const),
  ];
}

function clockChoices(clocks: readonly TimeSpec["kind"][]): string {
  const own = clocks.map((kind) => (kind === "field" ? "a field and its unit" : `"${kind}"`));
  return ['"arrival"', ...own].join(" or ");
}

const keyProblems: Readonly<
  Record<Traits["places"], (parts: DecodeParts) => readonly (readonly [keyof DecodeParts, string])[]>
> = {
  paths: ({ field, fields = {} }) => [
    ...(field === undefined ? [] : [["field", "is not used; name fields in `fields`"] as const]),
    ...Object.values(fields)
      .filter((path) => !isPath(path))
      .map((path) => ["fields", `${PATH_RULE} instead of ${JSON.stringify(path)}`] as const),
  ],
  names: ({ field, vectors }) => [
    ...(field === undefined ? [] : [["field", "is not used; name fields in `fields`"] as const]),
    ...(isEmpty(vectors) ? [] : [["vectors", "values are single numbers"] as const]),
  ],
  topic: ({ field, fields, vectors, id }) => [
    ...(field === undefined || fields === undefined
      ? []
      : [["fields", "is not used beside `field`"] as const]),
    ...(isEmpty(vectors) ? [] : [["vectors", "values are single numbers"] as const]),
    ...(id === undefined ? [] : [["id", "there is no place for an id"] as const]),
  ],
  "one-field": ({ decode, field, fields, vectors, text, id }) => [
    ...(field === undefined ? [["field", "expected the field that the message is"] as const] : []),
    ...(fields === undefined ? [] : [["fields", "is not used; `field` names the one field"] as const]),
    ...(isEmpty(vectors) ? [] : [["vectors", "a single value is no vector"] as const]),
    ...(id === undefined ? [] : [["id", "there is no place for an id"] as const]),
    ...(decode.kind === "text" && field !== undefined && !Object.hasOwn(text, field)
      ? [["text", `expected {${field}: [off, on]} or {${field}: hash}`] as const]
      : []),
  ],
  channels: ({ field, fields, vectors, text, id }) => [
    ...(field === undefined ? [] : [["field", "is not used; name the fields in `channels`"] as const]),
    ...(fields === undefined ? [] : [["fields", "is not used; name the fields in `channels`"] as const]),
    ...(isEmpty(vectors) ? [] : [["vectors", "is not used; `channels` and `length` say it"] as const]),
    ...(isEmpty(text) ? [] : [["text", "samples are no text"] as const]),
    ...(id === undefined ? [] : [["id", "there is no place for an id"] as const]),
  ],
};

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0;
}

// spBv1.0/group/TYPE/node/device: births of the node are one level shorter than data of its devices.
function coversBirths(filter: string): boolean {
  const levels = filter.split("/");
  return levels.at(-1) === "#" && (levels.length <= 3 || levels[2] === "+");
}

/** Format, time and vectors of a source that `decodeProblems` finds nothing wrong with. */
export function settleDecode(parts: DecodeParts): {
  readonly decode: DecodeSpec;
  readonly time: TimeSpec;
  readonly vectors: Readonly<Record<string, number>>;
} {
  const { decode, time, vectors } = parts;
  return {
    decode: specOf(parts),
    time: time ?? traitsOf(decode).clock,
    vectors: decode.kind === "samples" ? channelVectors(decode.value) : vectors,
  };
}

function channelVectors({ channels, length }: z.output<typeof samples>): Record<string, number> {
  return Object.fromEntries(channels.map((channel) => [channel, length]));
}

function specOf({ decode, fields = {}, field }: DecodeParts): DecodeSpec {
  switch (decode.kind) {
    case "number":
    case "boolean":
    case "text":
      // The check has made sure that there is one.
      return { kind: decode.kind, field: field ?? "" };
    case "esphome":
    case "homeassistant":
      return { kind: decode.kind, field, fields };
    case "samples":
      return { kind: decode.kind, ...decode.value };
    case "csv":
      return { kind: decode.kind, fields, ...decode.value, columns: decode.value.columns };
    case "influx":
      return { kind: decode.kind, fields, ...decode.value, measurement: decode.value.measurement };
    case "zigbee2mqtt":
      return { kind: decode.kind, fields, ...decode.value };
    default:
      return { kind: decode.kind, fields };
  }
}
