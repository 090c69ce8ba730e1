// A decoder as a task makes it, tried with single messages.

import type {
  Decode,
  Decoded,
  DecoderExample,
  ExampleMessage,
  RawMessage,
} from "../../device/ingest/decoders/port.js";
import { createDecoder } from "../../device/ingest/decoders/registry.js";
import { createEntityReader } from "../../device/ingest/entity.js";
import type { DeviceId } from "../../shared/id.js";
import { layOut } from "../../shared/pipeline/layout.js";
import { parseTask } from "../../shared/task/parse.js";

/** When messages come, unless a test says otherwise. */
export const ARRIVAL_MS = Date.UTC(2026, 5, 1);

const device = "pi-1" as DeviceId;

export interface DecoderLab {
  /** Which fields the pipeline reads. */
  readonly fields?: string;
  /** Template of the task. */
  readonly entity?: string;
}

/** Decodes one message of a source written as `source`; `when`: ms, or why it is not known. */
export interface TryMessage {
  (payload: string | Uint8Array, topic?: string, when?: RawMessage["arrivalMs"]): Decoded;
  readonly decode: Decode;
}

/** The decoder of a task whose one source is written `source`. */
export async function decoderLab(
  source: string,
  { fields = "a, b", entity = "{topic.1}" }: DecoderLab = {},
): Promise<TryMessage> {
  const task = taskWith(source, { fields, entity });
  const layout = layOut(task);
  const spec = task.sources[layout.source]!;
  const entityOf = createEntityReader(spec.entity ?? task.entity, device);
  const decode = await createDecoder({ name: layout.source, source: spec, fields: layout.fields, entityOf });
  const tryMessage = (
    payload: string | Uint8Array,
    topic = "site/room",
    when: RawMessage["arrivalMs"] = ARRIVAL_MS,
  ) => {
    // Bytes of their own, at an odd offset: as they lie in a packet.
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    const packet = new Uint8Array(bytes.length + 1);
    packet.set(bytes, 1);
    return decode({ topic, payload: packet.subarray(1), arrivalMs: when });
  };
  return Object.assign(tryMessage, { decode });
}

/** A task with one source; throws what is wrong with it. */
export function taskWith(source: string, { fields = "a, b", entity = "{topic.1}" }: DecoderLab = {}) {
  const indented = source.trim().startsWith("{") ? ` ${source}` : `\n${source.replace(/^/gm, "    ")}`;
  return parseTask(`task: lab
entity: "${entity}"
sources:
  air:${indented}
features: { from: air, list: [{ copy: [${fields}] }], scale: none }
label: none
model: { autoencoder: [1] }
`).task;
}

/** The decoder of an example. */
export function exampleLab({ source, fields }: DecoderExample): Promise<TryMessage> {
  return decoderLab(source, { fields: fields.join(", "), entity: "{device}" });
}

/** The bytes of an example's message. */
export function payloadOf(message: ExampleMessage): Uint8Array {
  return "text" in message ? Buffer.from(message.text) : Buffer.from(message.hex.replace(/\s/g, ""), "hex");
}
