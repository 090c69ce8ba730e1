// No compression: every float as IEEE 754 binary32, little-endian. Exact, whatever the value.

import { endianness } from "node:os";
import type { Codec } from "./port.js";

const BYTES = 4;

/** The exact codec. Encoding and decoding keep every bit. */
export const float32: Codec = {
  name: "float32",
  encode: (values) => inLittleEndian(new Uint8Array(values.slice().buffer)),
  decode(bytes, count, scratch) {
    if (bytes.length !== count * BYTES) return undefined;
    // A copy, because a view would need an offset that is a multiple of four.
    const values = scratch?.floats(count) ?? new Float32Array(count);
    const copy = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    copy.set(bytes);
    inLittleEndian(copy);
    return values;
  },
  byteLength: (count) => count * BYTES,
};

/** Swaps the bytes of each float in place where the machine's own order is the other one. */
function inLittleEndian<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  if (endianness() === "BE") Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).swap32();
  return bytes;
}
