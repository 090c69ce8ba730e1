// Which of a source's keys go with its format, and what the format makes of them.

import type { z } from "zod";
import type { DecodeSpec, TimeSpec } from "../decode-spec.js";
import type { Chosen } from "./decode.js";
import { isPath, PATH_RULE } from "./path.js";
import type { samples } from "./samples.js";

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

/** Keys of a source that do not go with its format, and what is wrong with each. */
export function decodeProblems(parts: DecodeParts): readonly KeyProblem[] {
  const { decode, mqtt, time } = parts;
  const { places, clocks } = traitsOf(decode);
  const problems: KeyProblem[] = [...formProblems(parts, places)];
  if (time !== undefined && time.kind !== "arrival" && !clocks.includes(time.kind))
    problems.push(["time", `expected ${clockChoices(clocks)}`]);
  if (decode.kind === "sparkplug" && mqtt !== undefined && !coversBirths(mqtt))
    problems.push([
      "mqtt",
      "expected a filter that covers births and deaths, such as spBv1.0/plant/+/press-1/#,",
    ]);
  for (const key of KEYS) {
    const message = unused[places][key];
    if (message !== undefined && isGiven(parts[key])) problems.push([key, message]);
  }
  return problems.map(([key, message]) => [key, `${message} with decode: ${decode.kind}`] as const);
}

function clockChoices(clocks: readonly TimeSpec["kind"][]): string {
  const own = clocks.map((kind) => (kind === "field" ? "a field and its unit" : `"${kind}"`));
  return ['"arrival"', ...own].join(" or ");
}

type Key = keyof DecodeParts;
type KeyProblem = readonly [Key, string];

const KEYS: readonly Key[] = ["field", "fields", "vectors", "text", "id"];

/** Keys that mean nothing to a format, and what to say of them. */
const unused: Readonly<Record<Traits["places"], Partial<Record<Key, string>>>> = {
  paths: { field: "is not used; name fields in `fields`" },
  names: { field: "is not used; name fields in `fields`", vectors: "values are single numbers" },
  topic: { vectors: "values are single numbers", id: "there is no place for an id" },
  "one-field": {
    fields: "is not used; `field` names the one field",
    vectors: "a single value is no vector",
    id: "there is no place for an id",
  },
  channels: {
    field: "is not used; name the fields in `channels`",
    fields: "is not used; name the fields in `channels`",
    vectors: "is not used; `channels` and `length` say it",
    text: "samples are no text",
    id: "there is no place for an id",
  },
};

function isGiven(value: unknown): boolean {
  return value !== undefined && !(typeof value === "object" && Object.keys(value ?? {}).length === 0);
}

/** What must be there, or be of a certain form. */
function* formProblems(parts: DecodeParts, places: Traits["places"]): Generator<KeyProblem> {
  const { decode, field, fields = {}, text, time, id } = parts;
  if (places === "paths" || places === "channels") {
    const wrong = Object.values(fields).find((path) => !isPath(path));
    if (wrong !== undefined) yield ["fields", `${PATH_RULE} instead of ${JSON.stringify(wrong)}`];
    if (time?.kind === "field" && !isPath(time.field)) yield ["time", PATH_RULE];
    if (id !== undefined && !isPath(id)) yield ["id", PATH_RULE];
  }
  if (places === "topic" && field !== undefined && isGiven(fields))
    yield ["fields", "is not used beside `field`"];
  if (places === "one-field" && field === undefined)
    yield ["field", "expected the field that the message is"];
  if (decode.kind === "text" && field !== undefined && !Object.hasOwn(text, field))
    yield ["text", `expected {${field}: [off, on]} or {${field}: hash}`];
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
