// The part of MessagePack spoken here: nil, booleans, integers, floats, UTF-8 text, bytes, arrays, and maps
// with text keys. Nothing else is decoded: no extensions, no nesting beyond a depth, no length that the bytes
// do not hold. So what a peer sends can cost no more memory than a bounded multiple of its own size.

import { Packr, Unpackr } from "msgpackr";

/** Deepest nesting of arrays and maps. */
const DEPTH_MAX = 8;

const packr = new Packr({ useRecords: false, variableMapSize: true, encodeUndefinedAsNil: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: "number" });

/** Where msgpackr writes: room for any message. Left to itself it allocates four times what a large one takes. */
const workspace = Buffer.alloc(192 * 1024);

/** The bytes of `value`, exactly its own. */
export function packValue(value: unknown): Uint8Array {
  return new Uint8Array(packShortLived(value));
}

/** The bytes of `value`, there until the next value is packed. */
export function packShortLived(value: unknown): Uint8Array {
  packr.useBuffer(workspace);
  return packr.pack(value);
}

/**
 * The one value that `bytes` hold, or undefined when they hold anything else. Never throws. Byte strings in
 * the result are views of `bytes`: nobody may write to either while the other is in use.
 */
export function unpackValue(bytes: Uint8Array): { readonly value: unknown } | undefined {
  if (skip(bytes, 0, DEPTH_MAX) !== bytes.length) return undefined;
  try {
    // A view of its own: msgpackr hangs a property on the object it reads, and cuts byte strings of its class.
    return { value: unpackr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)) };
  } catch {
    return undefined;
  }
}

/** Offset after the value at `start`; beyond the end of `bytes` when no allowed value lies there. */
function skip(bytes: Uint8Array, start: number, depth: number): number {
  const tag = bytes[start];
  if (tag === undefined || depth < 0) return INVALID;
  const next = start + 1;
  if (tag <= 0x7f || tag >= 0xe0) return next;
  if (tag <= 0x8f) return skipItems(bytes, next, { items: tag & 0x0f, keyed: true, depth });
  if (tag <= 0x9f) return skipItems(bytes, next, { items: tag & 0x0f, keyed: false, depth });
  if (tag <= 0xbf) return next + (tag & 0x1f);
  const width = widths[tag];
  if (width === undefined) return INVALID;
  if (isNumber(tag)) return next + width;
  const length = readLength(bytes, next, width);
  const body = next + width;
  if (tag >= 0xdc) return skipItems(bytes, body, { items: length, keyed: tag >= 0xde, depth });
  return body + length;
}

/** Farther than any payload reaches. */
const INVALID = Number.MAX_SAFE_INTEGER;

// Bytes after the tag that hold the number itself, or the length of what follows. Tags not listed (0xc1,
// which is never used, and all extensions) are refused.
const widths: Readonly<Record<number, number>> = {
  ...{ 192: 0, 194: 0, 195: 0 }, // nil, false, true
  ...{ 196: 1, 197: 2, 198: 4 }, // bin
  ...{ 202: 4, 203: 8 }, // float
  ...{ 204: 1, 205: 2, 206: 4, 207: 8 }, // uint
  ...{ 208: 1, 209: 2, 210: 4, 211: 8 }, // int
  ...{ 217: 1, 218: 2, 219: 4 }, // str
  ...{ 220: 2, 221: 4, 222: 2, 223: 4 }, // array, map
};

/** Tags whose bytes are the value itself and not a length. */
function isNumber(tag: number): boolean {
  return tag <= 0xc3 || (tag >= 0xca && tag <= 0xd3);
}

/** A big-endian length, or one that no payload holds when its bytes are cut short. */
function readLength(bytes: Uint8Array, offset: number, width: number): number {
  if (offset + width > bytes.length) return INVALID;
  let length = 0;
  for (let i = 0; i < width; i++) length = length * 256 + bytes[offset + i]!;
  return length;
}

interface Items {
  readonly items: number;
  readonly keyed: boolean;
  readonly depth: number;
}

function skipItems(bytes: Uint8Array, start: number, { items, keyed, depth }: Items): number {
  let offset = start;
  // Every item takes at least one byte, so this refuses a false length before anything is read or allocated.
  if (items > bytes.length - offset) return INVALID;
  for (let i = 0; i < items; i++) {
    if (keyed && !isText(bytes[offset])) return INVALID;
    if (keyed) offset = skip(bytes, offset, depth - 1);
    offset = skip(bytes, offset, depth - 1);
    if (offset > bytes.length) return INVALID;
  }
  return offset;
}

function isText(tag: number | undefined): boolean {
  return tag !== undefined && ((tag >= 0xa0 && tag <= 0xbf) || (tag >= 0xd9 && tag <= 0xdb));
}
