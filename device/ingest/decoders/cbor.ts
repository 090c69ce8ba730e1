// CBOR (RFC 8949), read by cbor-x and kept to what sensors speak: numbers, truths, text, bytes, arrays, maps with text
// or integer keys, and of the tags decimal fractions and typed arrays (RFC 8746). Of any other tag only what it marks
// is kept. Chunked text and bytes (sec. 3.2.3) are refused, as are values that refer to each other.

import { addExtension, Decoder, setSizeLimits } from "cbor-x/decode-no-eval";

const DEPTH_MAX = 16;

/** The one value that `bytes` hold, or undefined when they hold anything else. Maps have no prototype. Never throws. */
export function readCbor(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    // A view of its own: cbor-x hangs a property on the object it reads.
    const value: unknown = decoder.decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
    return { value: plain(value, DEPTH_MAX) };
  } catch {
    // Whatever it is, a stack that ran out included: no CBOR, or none that we would read.
    return undefined;
  }
}

// Of this module's own copy of cbor-x: the one without code generation and native parts has state apart from the other.
setSizeLimits({ maxArraySize: 2 ** 18, maxMapSize: 10_000 });

// Dates, big numbers, references, sets and objects to be made: big numbers take cbor-x time that grows with the square
// of their length, and what refers to itself would never end.
for (const tag of [0, 1, 2, 3, 5, 6, 14, 15, 27, 28, 29, 51, 105, 258, 259, 0x53687264]) {
  readTag(tag, (value) => value);
}

// Told apart from bytes that are no vector.
const UINT8_ARRAY = 64;
readTag(UINT8_ARRAY, (bytes) => (bytes instanceof Uint8Array ? Float64Array.from(bytes) : undefined));

function readTag(tag: number, decode: (value: unknown) => unknown): void {
  addExtension<unknown, unknown>({ tag, decode, Class: Object, encode: () => new Uint8Array() });
}

/** Stands for every record: cbor-x would let a message define some and look up others, by tags from 0xdff9 on. */
const RECORD = {
  read(): never {
    throw new TypeError("records are not read");
  },
};
const RECORDS = 0x2000;

// Maps as `Map`: their keys cannot then pass for properties of what cbor-x itself looks at.
const decoder = new Decoder({
  mapsAsObjects: false,
  copyBuffers: true,
  structures: new Array<object>(RECORDS).fill(RECORD),
});

/** Throws where it is nested too deeply, or a map's key is neither text nor an integer. */
function plain(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (depth === 0) throw new RangeError("nested too deeply");
  if (Array.isArray(value)) return value.map((each) => plain(each, depth - 1));
  if (value instanceof Map) return plainMap(value, depth);
  if (ArrayBuffer.isView(value)) return isNumeric(value) ? Float64Array.from(value) : undefined;
  // What is left is a tag that cbor-x does not know.
  return "value" in value ? plain(value.value, depth - 1) : undefined;
}

function plainMap(map: ReadonlyMap<unknown, unknown>, depth: number): object {
  const object: Record<string, unknown> = Object.create(null);
  for (const [key, value] of map) {
    if (typeof key !== "string" && typeof key !== "bigint" && !Number.isInteger(key)) {
      throw new TypeError("a key is neither text nor an integer");
    }
    object[String(key)] = plain(value, depth - 1);
  }
  return object;
}

/** False for 64-bit integers, which are no numbers of ours. */
function isNumeric(view: ArrayBufferView): view is ArrayBufferView & Iterable<number> {
  return !(view instanceof BigInt64Array || view instanceof BigUint64Array);
}
