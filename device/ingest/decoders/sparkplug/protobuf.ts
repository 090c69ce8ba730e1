// The wire format of Protocol Buffers, as far as a Sparkplug payload needs it.
// https://protobuf.dev/programming-guides/encoding/

/** One field of a message. */
export type ProtoField = { readonly number: number } & (
  | { readonly kind: "varint"; readonly low: number; readonly high: number }
  | { readonly kind: "fixed"; readonly bytes: Uint8Array }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
);

/** The fields of a message in order; ends early, with undefined, where the bytes are none. */
export function* readFields(bytes: Uint8Array): Generator<ProtoField | undefined> {
  const cursor: Cursor = { bytes, at: 0 };
  while (cursor.at < bytes.length) {
    const field = readField(cursor);
    yield field;
    if (field === undefined) return;
  }
}

/** An unsigned 64-bit integer, rounded beyond 2^53. */
export function unsigned({ low, high }: { readonly low: number; readonly high: number }): number {
  return (high >>> 0) * 2 ** 32 + (low >>> 0);
}

/** A signed 64-bit integer in two's complement, rounded beyond 2^53. */
export function signed({ low, high }: { readonly low: number; readonly high: number }): number {
  return (high | 0) * 2 ** 32 + (low >>> 0);
}

/** A field with a number. */
export function varintField(number: number, value: number): Uint8Array {
  return Buffer.concat([varint(number << 3), varint(value)]);
}

/** A field with bytes: text or a message. */
export function bytesField(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function readField(cursor: Cursor): ProtoField | undefined {
  const tag = readVarint(cursor);
  if (tag === undefined || tag.high !== 0) return undefined;
  const number = tag.low >>> 3;
  switch (tag.low & 7) {
    case 0: {
      const value = readVarint(cursor);
      return value && { number, kind: "varint", ...value };
    }
    case 1:
      return withBytes(number, "fixed", take(cursor, 8));
    case 2: {
      const length = readVarint(cursor);
      return withBytes(number, "bytes", length && take(cursor, unsigned(length)));
    }
    case 5:
      return withBytes(number, "fixed", take(cursor, 4));
    default:
      return undefined;
  }
}

function withBytes(number: number, kind: "fixed" | "bytes", bytes: Uint8Array | undefined) {
  return bytes && { number, kind, bytes };
}

function take(cursor: Cursor, count: number): Uint8Array | undefined {
  if (count > cursor.bytes.length - cursor.at) return undefined;
  cursor.at += count;
  return cursor.bytes.subarray(cursor.at - count, cursor.at);
}

function readVarint(cursor: Cursor): { readonly low: number; readonly high: number } | undefined {
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) return undefined;
    const bits = byte & 0x7f;
    if (shift < 32) low |= bits << shift;
    if (shift >= 32) high |= bits << (shift - 32);
    else if (shift === 28) high |= bits >> 4;
    if (byte < 0x80) return { low, high };
  }
  return undefined;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
