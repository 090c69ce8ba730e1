// ESPHome (prefix/component/name/state) and Home Assistant's statestream (prefix/domain/name/state): the topic names
// a value, the message is the value as text. Topics of another shape carry availability, logs or attributes.

import { type Decode, type DecoderOptions, fault } from "./port.js";
import { type Item, Shaper } from "./shape.js";
import { TEXT_MAX, utf8 } from "./text.js";

/** Texts that stand for no value. */
const MISSING: ReadonlySet<string> = new Set(["", "unavailable", "unknown", "none", "nan", "null"]);

/** A decoder for `decode: esphome` and `decode: homeassistant`: {tag.name}, {tag.component} and {tag.prefix}. */
export function createStateTopicDecoder(options: DecoderOptions): Decode {
  const shaper = new Shaper(options, { places: "names", isTextual: true });
  const { decode } = options.source;
  const only = "field" in decode ? decode.field : undefined;
  return (message) => {
    const levels = message.topic.split("/");
    const [prefix, component, name, last] = [levels.slice(0, -3).join("/"), ...levels.slice(-3)];
    if (levels.length < 4 || last !== "state") return fault("not-telemetry");
    if (message.payload.length > TEXT_MAX) return fault("not-text");
    const tags = new Map([
      ["prefix", prefix!],
      ["component", component!],
      ["name", name!],
    ]);
    return shaper.shape(message, [itemOf(only, tags, utf8(message.payload).trim())]);
  };
}

// The same name may occur under two components: "sensor/power" and "switch/power" tell them apart.
function itemOf(only: string | undefined, tags: ReadonlyMap<string, string>, text: string): Item {
  const value = MISSING.has(text.toLowerCase()) ? null : text;
  const name = tags.get("name") ?? "";
  const names = only === undefined ? [name, `${tags.get("component")}/${name}`] : [only];
  const body: Record<string, unknown> = Object.create(null);
  for (const each of names) body[each] = value;
  return { body, tags };
}
