// Every codec by its name. A new one is one file, one line here, and passes test/contract/codec.ts.

import { float32 } from "./float32.js";
import type { Codec } from "./port.js";

/** Codecs a frame may name. */
export const codecs: Readonly<Record<string, Codec>> = { [float32.name]: float32 };

/** The codec of that name, or undefined; safe with any text a peer may send. */
export function findCodec(name: string): Codec | undefined {
  return Object.hasOwn(codecs, name) ? codecs[name] : undefined;
}
