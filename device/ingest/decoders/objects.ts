// Formats whose messages are objects, one or an array of them (gateways send in batches): JSON, MessagePack, CBOR.

import { unpackValue } from "../../../shared/wire/msgpack.js";
import {
  type Decode,
  type DecodeFault,
  type DecoderOptions,
  fault,
  type RawMessage,
  READINGS_MAX,
} from "./port.js";
import { type Item, Shaper } from "./shape.js";
import { utf8 } from "./text.js";

/** A decoder for `decode: json`. */
export function createJsonDecoder(options: DecoderOptions): Decode {
  return createObjectDecoder(options, "not-json", parseJson);
}

/** A decoder for `decode: msgpack`: of MessagePack what is said in shared/wire/msgpack.ts, no extensions. */
export function createMsgpackDecoder(options: DecoderOptions): Decode {
  return createObjectDecoder(options, "not-msgpack", unpackValue);
}

/** A decoder for `decode: cbor`. */
export async function createCborDecoder(options: DecoderOptions): Promise<Decode> {
  const { readCbor } = await import("./cbor.js");
  return createObjectDecoder(options, "not-cbor", readCbor);
}

/** The JSON value of a payload, undefined when it is none. */
export function parseJson(payload: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(utf8(payload)) };
  } catch {
    return undefined;
  }
}

type Parse = (payload: Uint8Array) => { readonly value: unknown } | undefined;

function createObjectDecoder(options: DecoderOptions, reason: DecodeFault, parse: Parse): Decode {
  const shaper = new Shaper(options, { places: "paths" });
  return (message) => {
    const parsed = parse(message.payload);
    return parsed === undefined ? fault(reason) : shapeObjects(shaper, message, parsed.value);
  };
}

/** Readings of one object or an array of them, whose tags are their own values unless `tags` are given. */
export function shapeObjects(shaper: Shaper, message: RawMessage, value: unknown, tags?: Item["tags"]) {
  const faults: DecodeFault[] = [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > READINGS_MAX) faults.push("too-many");
  const items: Item[] = [];
  for (const body of list.slice(0, READINGS_MAX)) {
    if (isObject(body)) items.push(tags === undefined ? { body } : { body, tags });
    else faults.push("no-object");
  }
  return shaper.shape(message, items, faults);
}

/** True for an object that is no array. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
