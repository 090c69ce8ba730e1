// `decode`: the format of a source's messages, by a word or with options of its own.

import { z } from "zod";
import { alternatives } from "../problem.js";
import { didYouMean } from "../suggest.js";
import { type Choice, oneKey } from "./choice.js";
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

/** A format and its options, as parsed. */
export type Chosen = { readonly kind: (typeof plainKinds)[number] } | Choice<typeof withOptions>;

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
