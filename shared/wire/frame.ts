// The binary envelope of bulk data: what it is, a small header, a large body, and a checksum over all of it.
//
//   0      4         magic: "HWUP" update, "HWMB" model blob
//   4      1         version of the frame, 1
//   5      4         header length H, unsigned, little-endian
//   9      H         header, one MessagePack map
//   9+H    4         body length B, unsigned, little-endian
//   13+H   B         body
//   13+H+B 4         CRC-32 (as in zlib and IEEE 802.3) of every byte before it, unsigned, little-endian

import { crc32 } from "node:zlib";
import { assert } from "../assert.js";
import { BLOB_BYTES_MAX } from "./message.js";
import { packValue, unpackValue } from "./msgpack.js";

/** What a frame holds. */
export type FrameKind = "update" | "model";

/** Most bytes the header may have: enough for the scaler or the statistics of some 25,000 columns. */
export const FRAME_HEADER_BYTES_MAX = 1024 * 1024;

const MAGIC: Readonly<Record<FrameKind, string>> = { update: "HWUP", model: "HWMB" };
const VERSION = 1;
const HEADER_AT = 9;
/** Everything but header and body: magic, version, two lengths, checksum. */
const OVERHEAD_BYTES = 17;

/** A frame taken apart, or why it is none. `body` is a view of the frame's bytes. */
export type DecodedFrame =
  | { readonly ok: true; readonly header: unknown; readonly body: Uint8Array }
  | { readonly ok: false; readonly reason: "malformed" | "bad-checksum" };

/** The frame's bytes; they belong to the caller. */
export function encodeFrame(kind: FrameKind, header: object, body: Uint8Array): Uint8Array {
  const packed = packValue(header);
  const total = OVERHEAD_BYTES + packed.length + body.length;
  assert(packed.length <= FRAME_HEADER_BYTES_MAX, `frame header of ${packed.length} bytes is too long`);
  assert(total <= BLOB_BYTES_MAX, `frame of ${total} bytes is too long`);
  const frame = new Uint8Array(total);
  const view = new DataView(frame.buffer);
  const bodyAt = HEADER_AT + packed.length + 4;
  frame.set(Buffer.from(MAGIC[kind], "latin1"), 0);
  frame[4] = VERSION;
  view.setUint32(5, packed.length, true);
  frame.set(packed, HEADER_AT);
  view.setUint32(bodyAt - 4, body.length, true);
  frame.set(body, bodyAt);
  view.setUint32(total - 4, crc32(frame.subarray(0, total - 4)), true);
  return frame;
}

/** Takes a frame apart. Allocates nothing before every length and the checksum have been verified. */
export function decodeFrame(kind: FrameKind, bytes: Uint8Array): DecodedFrame {
  const lengths = readLengths(kind, bytes);
  if (lengths === undefined) return { ok: false, reason: "malformed" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length - 4;
  if (crc32(bytes.subarray(0, end)) !== view.getUint32(end, true))
    return { ok: false, reason: "bad-checksum" };
  const header = unpackValue(bytes.subarray(HEADER_AT, HEADER_AT + lengths.header));
  if (header === undefined) return { ok: false, reason: "malformed" };
  return { ok: true, header: header.value, body: bytes.subarray(end - lengths.body, end) };
}

/** Both lengths, or undefined when magic, version or lengths do not describe exactly these bytes. */
function readLengths(kind: FrameKind, bytes: Uint8Array): { header: number; body: number } | undefined {
  if (bytes.length < OVERHEAD_BYTES || bytes.length > BLOB_BYTES_MAX || bytes[4] !== VERSION)
    return undefined;
  const magic = MAGIC[kind];
  for (let i = 0; i < magic.length; i++) if (bytes[i] !== magic.charCodeAt(i)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const header = view.getUint32(5, true);
  if (header > FRAME_HEADER_BYTES_MAX || header > bytes.length - OVERHEAD_BYTES) return undefined;
  const body = view.getUint32(HEADER_AT + header, true);
  return OVERHEAD_BYTES + header + body === bytes.length ? { header, body } : undefined;
}
