// A client's byte stream with bounds: what Aedes sees instead of the socket. Nothing beyond a bound is buffered
// on either side; the connection ends with the reason.

import { Duplex } from "node:stream";
import { PacketMeter } from "./packet-meter.js";

/** Why a connection was ended from our side. */
export class ConnectionFault extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.name = "ConnectionFault";
    this.reason = reason;
  }
}

export interface GuardOptions {
  /** Most bytes of the first packet. */
  readonly connectBytes: number;
  /** Most bytes of any packet once admitted. */
  readonly packetBytes: number;
  /** Most bytes waiting to be sent. */
  readonly unsentBytes: number;
  /** Writes what is ready at once as one chunk: for WebSockets, where each chunk is a message. */
  readonly joinsWrites: boolean;
  /** Told once when a bound was broken, before the stream is destroyed for it. */
  readonly onFault: (reason: string, message: string) => void;
}

/** What a client may leave unsent before its next packets wait: a few blocks of a download. */
const WRITE_AHEAD_BYTES = 256 * 1024;
/** One read of a socket. */
const READ_AHEAD_BYTES = 64 * 1024;

/** Small packets come in pieces of a few bytes: copying them together is cheaper than handing over each. */
const JOINED_BYTES = 1024;

type Written = (error?: Error | null) => void;

/**
 * A Duplex around a TCP socket or a WebSocket stream, which it owns. Lets exactly one packet in, a CONNECT, until
 * it is told that the client is who it says.
 */
export class GuardedStream extends Duplex {
  readonly #inner: Duplex;
  readonly #options: GuardOptions;
  readonly #meter: PacketMeter;
  /** What arrived behind the CONNECT. */
  #behind: Buffer | undefined;
  #isHeld = false;
  #hasEnded = false;

  constructor(inner: Duplex, options: GuardOptions) {
    super({ readableHighWaterMark: READ_AHEAD_BYTES, writableHighWaterMark: WRITE_AHEAD_BYTES });
    this.#inner = inner;
    this.#options = options;
    this.#meter = new PacketMeter(options.connectBytes);
    inner.pause();
    inner.on("data", (chunk: Buffer) => this.#receive(chunk));
    inner.on("end", () => this.#end());
    inner.on("error", (error) => this.destroy(error));
    inner.on("close", () => {
      // Closed in good order: what was received, maybe a DISCONNECT, is still to be read.
      if (!this.#hasEnded) this.destroy();
    });
  }

  /** The client has authenticated: what it sent meanwhile and sends from now on may pass. */
  admit(): void {
    this.#meter.admit(this.#options.packetBytes);
    const behind = this.#behind;
    this.#behind = undefined;
    if (behind !== undefined) this.#receive(behind);
    if (!this.#isHeld) this.#inner.resume();
  }

  /** Reads nothing more from the client, so that TCP holds it up. */
  hold(): void {
    this.#isHeld = true;
    this.#inner.pause();
  }

  /** Reads again. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    if (this.readableLength < this.readableHighWaterMark) this._read();
  }

  /** Ends the connection for `reason`. */
  fail(reason: string, message: string): void {
    if (this.destroyed) return;
    this.#options.onFault(reason, message);
    this.destroy(new ConnectionFault(reason, message));
  }

  override _read(): void {
    if (!this.#isHeld && this.#behind === undefined) this.#inner.resume();
  }

  // Every way to write goes through here, so no path past the bound exists. The inner stream calls back when a
  // chunk has gone to the operating system, hence what it holds counts as ours.
  override write(chunk: unknown, encoding?: BufferEncoding | Written, written?: Written): boolean {
    const hasRoom =
      typeof encoding === "string" ? super.write(chunk, encoding, written) : super.write(chunk, encoding);
    const unsent = this.writableLength;
    const { unsentBytes } = this.#options;
    if (unsent > unsentBytes) {
      this.fail("stalled", `${unsent} bytes wait to be sent, the limit is ${unsentBytes}`);
    }
    return hasRoom;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: Written): void {
    // Nobody listens, but what was received is still being read: an error now would lose the rest of it.
    if (this.#hasEnded) written();
    else this.#inner.write(chunk, written);
  }

  override _writev(chunks: { readonly chunk: Buffer }[], written: Written): void {
    if (this.#hasEnded) {
      written();
      return;
    }
    const bytes = chunks.reduce((sum, { chunk }) => sum + chunk.length, 0);
    if (this.#options.joinsWrites || bytes <= JOINED_BYTES) {
      this.#inner.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), written);
      return;
    }
    this.#inner.cork();
    const last = chunks.length - 1;
    for (const [at, { chunk }] of chunks.entries())
      this.#inner.write(chunk, at === last ? written : undefined);
    this.#inner.uncork();
  }

  override _final(done: Written): void {
    this.#inner.end(done);
  }

  override _destroy(error: Error | null, done: Written): void {
    this.#behind = undefined;
    this.#inner.destroy();
    done(error);
  }

  #end(): void {
    this.#hasEnded = true;
    this.push(null);
  }

  #receive(chunk: Buffer): void {
    if (this.destroyed) return;
    const passed = this.#meter.follow(chunk);
    if (typeof passed === "string") {
      const { connectBytes, packetBytes } = this.#options;
      this.fail(passed, `${passed}: limits are ${connectBytes} bytes for CONNECT, then ${packetBytes}`);
      return;
    }
    if (passed < chunk.length) this.#behind = chunk.subarray(passed);
    const hasRoom = passed === 0 || this.push(chunk.subarray(0, passed));
    if (!hasRoom || this.#isHeld || this.#behind !== undefined) this.#inner.pause();
  }
}
