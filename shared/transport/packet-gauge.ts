// The size of each MQTT packet in a byte stream, known from its first bytes: a peer that announces a huge one is
// cut off before it is buffered.

/** Most bytes of a remaining length field (MQTT 3.1.1, section 2.2.3). */
const LENGTH_BYTES_MAX = 4;

/** Follows one stream. */
export class PacketGauge {
  readonly #limit: number;
  /** Bytes of the current packet still to come. */
  #bodyBytes = 0;
  #isLength = false;
  #length = 0;
  #lengthBytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes the stream's next bytes; the announced size of the first packet beyond the limit, or undefined. */
  excess(bytes: Uint8Array): number | undefined {
    let at = 0;
    while (at < bytes.length) {
      if (this.#bodyBytes > 0) {
        const skipped = Math.min(this.#bodyBytes, bytes.length - at);
        this.#bodyBytes -= skipped;
        at += skipped;
      } else if (!this.#isLength) {
        // The first byte: type and flags.
        this.#isLength = true;
        this.#length = 0;
        this.#lengthBytes = 0;
        at++;
      } else {
        this.#takeLength(bytes[at++] ?? 0);
        if (this.#bodyBytes > this.#limit) return this.#bodyBytes;
      }
    }
    return undefined;
  }

  #takeLength(byte: number): void {
    this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes++;
    // A field that is too long is the parser's to refuse.
    if (byte >= 0x80 && this.#lengthBytes < LENGTH_BYTES_MAX) return;
    this.#bodyBytes = this.#length;
    this.#isLength = false;
  }
}
