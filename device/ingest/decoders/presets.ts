// JSON as particular publishers send it: which of their topics carry readings, and what those topics name.

import { parseJson, shapeObjects } from "./objects.js";
import { type Decode, type DecoderOptions, fault } from "./port.js";
import { Shaper } from "./shape.js";

/**
 * A decoder for `decode: zigbee2mqtt`: base/NAME, where NAME, which may hold slashes, is {tag.name}. The bridge's own
 * topics, availability and commands are no readings.
 */
export function createZigbee2mqttDecoder(options: DecoderOptions): Decode {
  const { decode } = options.source;
  const base = decode.kind === "zigbee2mqtt" ? `${decode.base}/` : "";
  return createPreset(options, (topic) => {
    const name = topic.startsWith(base) ? topic.slice(base.length) : "";
    const isOther =
      name === "" || name.startsWith("bridge/") || /\/(?:availability|set|get)(?:\/|$)/.test(topic);
    return isOther ? undefined : new Map([["name", name]]);
  });
}

/** A decoder for `decode: tasmota`: LWT is no reading, nor is what is sent to the device. */
export function createTasmotaDecoder(options: DecoderOptions): Decode {
  return createPreset(options, (topic) => {
    const levels = topic.split("/");
    return levels.at(-1) === "LWT" || levels.includes("cmnd") ? undefined : NO_TAGS;
  });
}

const NO_TAGS: ReadonlyMap<string, string> = new Map();

/** `tagsOf` answers undefined for a topic that carries no readings. */
function createPreset(
  options: DecoderOptions,
  tagsOf: (topic: string) => ReadonlyMap<string, string> | undefined,
): Decode {
  const shaper = new Shaper(options, { places: "paths" });
  return (message) => {
    const tags = tagsOf(message.topic);
    if (tags === undefined) return fault("not-telemetry");
    const parsed = parseJson(message.payload);
    return parsed === undefined ? fault("not-json") : shapeObjects(shaper, message, parsed.value, tags);
  };
}
