// No compression: every float as IEEE 754 binary32, little-endian. Exact, whatever the value.

import { endianness } from "node:os";
import type { Codec } from "./port.js";

const BYTES = 4;

/** The exact codec. Encoding and decoding keep every bit. */
export const float32: Codec = {
  name: "float32",
  encode: (values) => inLittleEndian(new Uint8Array(values.slice().buffer)),
  decode(bytes, count) {
    if (bytes.length !== count * BYTES) return undefined;
    // A copy, because a view would need an offset that is a multiple of four.
    return new Float32Array(inLittleEndian(new Uint8Array(bytes)).buffer);
  },
  byteLength: (count) => count * BYTES,
};

/** Swaps the bytes of each float in place where the machine's own order is the other one. */
function inLittleEndian(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (endianness() === "BE") Buffer.from(bytes.buffer).swap32();
  return bytes;
}
