// How params become the body of a frame, and back.

import type { Scratch } from "../scratch.js";

/** One way to write `count` floats as bytes. A codec is named in the header of every frame it wrote. */
export interface Codec {
  readonly name: string;
  /** Bytes of `values`; they belong to the caller. */
  encode(values: Float32Array): Uint8Array;
  /**
   * The floats, or undefined when `bytes` cannot be `count` of them. Values may be NaN. They are written to memory
   * of `scratch` if there is one, else they are the caller's own.
   */
  decode(bytes: Uint8Array, count: number, scratch?: Scratch): Float32Array | undefined;
  /** Most bytes that `count` floats take. */
  byteLength(count: number): number;
}
