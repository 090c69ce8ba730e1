// Follows MQTT packets in a byte stream by their fixed headers alone (MQTT 3.1.1, section 2.2), so that a packet
// is refused for the length it announces, before anyone has buffered it.

/** What is wrong with the bytes. */
export type PacketFault = "packet-too-large" | "malformed-length" | "not-connect";

/** Fixed header of CONNECT: type 1, all flags zero (3.1.1, 2.2.2). */
const CONNECT = 0x10;

/** Reads headers, skips bodies, copies nothing. */
export class PacketMeter {
  #limitBytes: number;
  #stage: "connect" | "connected" | "admitted" = "connect";
  /** Bytes of the header read so far. */
  #headerBytes = 0;
  /** Bytes of the body still to come; while in a header, what its length digits say so far. */
  #bodyBytes = 0;
  #isInBody = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** The first packet was a valid CONNECT: others may follow, each of at most `limitBytes`. */
  admit(limitBytes: number): void {
    this.#stage = "admitted";
    this.#limitBytes = limitBytes;
  }

  /**
   * How many of `bytes` may pass: all of them, or until `admit` those of the first packet. The rest has not been
   * followed yet and comes first in the next call.
   */
  follow(bytes: Uint8Array): number | PacketFault {
    let at = 0;
    while (at < bytes.length && this.#stage !== "connected") {
      if (this.#isInBody) {
        const step = Math.min(this.#bodyBytes, bytes.length - at);
        at += step;
        this.#bodyBytes -= step;
        if (this.#bodyBytes === 0) this.#endPacket();
      } else {
        const fault = this.#readHeader(bytes[at++]!);
        if (fault !== undefined) return fault;
      }
    }
    return at;
  }

  #readHeader(byte: number): PacketFault | undefined {
    this.#headerBytes++;
    if (this.#headerBytes === 1)
      return this.#stage === "connect" && byte !== CONNECT ? "not-connect" : undefined;
    // 2.2.3: seven bits a byte, the lowest first, at most four bytes; the eighth bit says that another follows.
    this.#bodyBytes += (byte & 0x7f) << (7 * (this.#headerBytes - 2));
    if (this.#headerBytes + this.#bodyBytes > this.#limitBytes) return "packet-too-large";
    if (byte > 0x7f) return this.#headerBytes === 5 ? "malformed-length" : undefined;
    if (this.#bodyBytes === 0) this.#endPacket();
    else this.#isInBody = true;
    return undefined;
  }

  #endPacket(): void {
    this.#headerBytes = 0;
    this.#isInBody = false;
    if (this.#stage === "connect") this.#stage = "connected";
  }
}
