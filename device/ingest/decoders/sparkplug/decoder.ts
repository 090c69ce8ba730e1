// Sparkplug B: edge nodes say what they measure in births, and then only what changed. A message is one reading per
// time in it; fields that it does not mention keep what was last said of them.

import {
  type Decode,
  type Decoded,
  type DecodeFault,
  type DecoderOptions,
  fault,
  type RawMessage,
  type Reply,
} from "../port.js";
import { type Held, type Item, Shaper } from "../shape.js";
import { readPayload, readValue, rebirthCommand, type SparkplugPayload } from "./payload.js";
import { type Heard, identify, Sessions } from "./sessions.js";
import { parseTopic, type SparkplugTopic } from "./topic.js";

/** A decoder for `decode: sparkplug`: {tag.group}, {tag.node}, {tag.device}. Asks for births that it has missed. */
export function createSparkplugDecoder(options: DecoderOptions): Decode {
  const shaper = new Shaper(options, { places: "names" });
  const { source, fields } = options;
  const places = "fields" in source.decode ? source.decode.fields : {};
  const names = fields.map(({ name }) => (Object.hasOwn(places, name) ? places[name]! : name));
  const read = new Set(source.id === undefined ? names : [...names, source.id]);
  const sessions = new Sessions(
    (name) => read.has(name),
    () => shaper.hold(),
  );
  const decode = (message: RawMessage): Decoded => {
    const topic = parseTopic(message.topic);
    if (topic === undefined) return fault("not-telemetry");
    const payload = readPayload(message.payload);
    if (payload === undefined) return fault("not-sparkplug");
    const heard = sessions.hear(topic, payload);
    const faults = [...heard.faults];
    if (topic.type.endsWith("DEATH")) faults.push("not-telemetry");
    const items = topic.type.endsWith("DEATH") ? [] : itemsOf(topic, payload, heard, faults);
    const decoded = shaper.shape(message, items, faults);
    return heard.needsBirth ? { ...decoded, replies: [askForBirth(topic, payload, message)] } : decoded;
  };
  return Object.assign(decode, { memory: sessions });
}

// One item per time, in rising order, so that what is held is held by the newest.
function itemsOf(
  topic: SparkplugTopic,
  { metrics, timestampMs }: SparkplugPayload,
  { born }: Heard,
  faults: DecodeFault[],
): readonly Item[] {
  const tags = tagsOf(topic);
  const items = new Map<string, Item & { readonly body: Record<string, unknown> }>();
  for (const metric of metrics) {
    const known = identify(metric, born);
    if (known === undefined && !faults.includes("no-birth")) faults.push("no-birth");
    if (known === undefined || known === "unread") continue;
    const timeMs = metric.timestampMs ?? timestampMs;
    const key = `${timeMs} ${metric.isHistorical}`;
    let item = items.get(key);
    if (item === undefined) {
      item = itemAt(timeMs, tags, metric.isHistorical ? undefined : born?.held);
      items.set(key, item);
    }
    item.body[known.name] = readValue(metric, known.type);
  }
  return [...items.values()].toSorted((a, b) => (a.timeMs ?? 0) - (b.timeMs ?? 0));
}

function itemAt(timeMs: number | undefined, tags: ReadonlyMap<string, string>, held: Held | undefined) {
  const body: Record<string, unknown> = Object.create(null);
  return held === undefined ? { body, timeMs, tags } : { body, timeMs, tags, held };
}

function tagsOf({ group, node, device }: SparkplugTopic): ReadonlyMap<string, string> {
  const tags = new Map([
    ["group", group],
    ["node", node],
  ]);
  return device === undefined ? tags : tags.set("device", device);
}

function askForBirth({ group, node }: SparkplugTopic, payload: SparkplugPayload, message: RawMessage): Reply {
  const { arrivalMs } = message;
  const timestampMs = typeof arrivalMs === "number" ? arrivalMs : (payload.timestampMs ?? 0);
  return { topic: `spBv1.0/${group}/NCMD/${node}`, payload: rebirthCommand(timestampMs) };
}
