// All decoders by name. Each is loaded when a task has a source of its kind: what a device does not speak costs it
// nothing.

import type { DecodeSpec } from "../../../shared/task/decode-spec.js";
import type { Decode, DecoderEntry, DecoderOptions } from "./port.js";

/** How a decoder of each kind is made. */
export const decoders: Readonly<Record<DecodeSpec["kind"], DecoderEntry>> = {
  json: {
    doc: "A JSON object, or an array of them; `fields` are paths.",
    create: async (options) => (await import("./objects.js")).createJsonDecoder(options),
  },
  msgpack: {
    doc: "The same in MessagePack, without its extensions.",
    create: async (options) => (await import("./objects.js")).createMsgpackDecoder(options),
  },
  cbor: {
    doc: "The same in CBOR (RFC 8949), vectors also as typed arrays (RFC 8746).",
    create: async (options) => (await import("./objects.js")).createCborDecoder(options),
  },
  number: {
    doc: "One number as text.",
    create: async (options) => (await import("./plain.js")).createNumberDecoder(options),
  },
  boolean: {
    doc: "ON or OFF, true or false, open or closed, online or offline, 1 or 0.",
    create: async (options) => (await import("./plain.js")).createBooleanDecoder(options),
  },
  text: {
    doc: "One text, which the source's `text` turns into a number.",
    create: async (options) => (await import("./plain.js")).createTextDecoder(options),
  },
  csv: {
    doc: "Lines of separated values (RFC 4180), their columns named in the task or in the first line.",
    create: async (options) => (await import("./csv.js")).createCsvDecoder(options),
  },
  senml: {
    doc: "SenML in JSON (RFC 8428); a field is a NAME with or without its base ({tag.base}), NAME@UNIT or NAME.sum.",
    create: async (options) => (await import("./senml.js")).createSenmlDecoder(options),
  },
  "senml-cbor": {
    doc: "SenML in CBOR (RFC 8428, section 6).",
    create: async (options) => (await import("./senml.js")).createSenmlCborDecoder(options),
  },
  influx: {
    doc: "Influx line protocol, as Telegraf publishes it; tags are {tag.NAME}, the measurement {tag.measurement}.",
    create: async (options) => (await import("./influx.js")).createInfluxDecoder(options),
  },
  sparkplug: {
    doc: "Sparkplug B: metrics named by births, values held between messages, lost births asked for.",
    create: async (options) => (await import("./sparkplug/decoder.js")).createSparkplugDecoder(options),
  },
  shelly: {
    doc: "Shelly Gen2 and later: notifications of what changed, over what is known; {tag.device} is the topic's prefix.",
    create: async (options) => (await import("./shelly.js")).createShellyDecoder(options),
  },
  samples: {
    doc: "Blocks of raw samples, binary or base64 in JSON: a vector per channel, at the time of its first sample.",
    create: async (options) => (await import("./samples.js")).createSamplesDecoder(options),
  },
  zigbee2mqtt: {
    doc: "JSON of Zigbee2MQTT; the friendly name, slashes and all, is {tag.name}.",
    create: async (options) => (await import("./presets.js")).createZigbee2mqttDecoder(options),
  },
  tasmota: {
    doc: "JSON of Tasmota, whose `Time` is local time without its zone.",
    create: async (options) => (await import("./presets.js")).createTasmotaDecoder(options),
  },
  esphome: {
    doc: "State topics of ESPHome: prefix/component/NAME/state.",
    create: async (options) => (await import("./state-topic.js")).createStateTopicDecoder(options),
  },
  homeassistant: {
    doc: "State topics of Home Assistant's statestream: prefix/domain/NAME/state.",
    create: async (options) => (await import("./state-topic.js")).createStateTopicDecoder(options),
  },
};

/** The decoder of a source. */
export async function createDecoder(options: DecoderOptions): Promise<Decode> {
  return decoders[options.source.decode.kind].create(options);
}
