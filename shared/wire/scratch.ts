// Memory that is used again and again. What is as large as an update costs more to allocate than to fill.

/** Larger requests get memory of their own, which is not kept. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;

/** One owner at a time: whatever it handed out is overwritten by the next request of the same kind. */
export class Scratch {
  #bytes = new Uint8Array();
  #floats = new Float32Array();

  /** `length` bytes of unknown content. */
  bytes(length: number): Uint8Array {
    if (length > KEPT_BYTES_MAX) return new Uint8Array(length);
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(length);
    return this.#bytes.subarray(0, length);
  }

  /** `length` floats of unknown content. */
  floats(length: number): Float32Array {
    if (length > KEPT_BYTES_MAX / 4) return new Float32Array(length);
    if (this.#floats.length < length) this.#floats = new Float32Array(length);
    return this.#floats.subarray(0, length);
  }
}
