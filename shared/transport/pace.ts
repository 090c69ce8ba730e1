// How much may be on its way at once. Additive increase, multiplicative decrease: what is sent must be acknowledged
// well within the keepalive, or the pings behind it come too late and a working connection is given up.

import { assert } from "../assert.js";

/** Bounds of a chunk: the least an offer may ask for, and the most a chunk or block carries. */
export const CHUNK_BYTES_MIN = 1024;
export const CHUNK_BYTES_MAX = 128 * 1024;

/** A window is worth this many chunks: while one is acknowledged the next ones are on their way. */
const CHUNKS = 4;
const WINDOW_BYTES_MIN = CHUNKS * CHUNK_BYTES_MIN;
const WINDOW_BYTES_MAX = CHUNKS * CHUNK_BYTES_MAX;
const WINDOW_BYTES_START = 256 * 1024;
/** Most messages in a window, however small: each costs memory of its own on both sides. */
const WINDOW_MESSAGES = 64;
/** Most a window grows while it is acknowledged once; a small one grows by a quarter at most. */
const STEP_BYTES = 16 * 1024;
/** A window shall be acknowledged within this part of the keepalive. A ping waits at most twice as long. */
const KEEPALIVE_SHARE = 1 / 8;

/**
 * The window of one direction of one connection, fed with what each message's acknowledgement took, those before it
 * in the window included. Without a keepalive (0) nothing can starve and the window keeps its maximum.
 */
export class Pace {
  readonly windowMessages = WINDOW_MESSAGES;
  readonly #budgetMs: number;
  #windowBytes: number;
  #ackMs = 0;
  /** Bytes whose acknowledgements were already late when the window was last halved. */
  #forgivenBytes = 0;

  constructor({ keepaliveMs }: { readonly keepaliveMs: number }) {
    assert(keepaliveMs >= 0, `a keepalive of ${keepaliveMs} ms`);
    this.#budgetMs = keepaliveMs === 0 ? Number.POSITIVE_INFINITY : keepaliveMs * KEEPALIVE_SHARE;
    this.#windowBytes = keepaliveMs === 0 ? WINDOW_BYTES_MAX : WINDOW_BYTES_START;
  }

  /** Most bytes without an acknowledgement. */
  get windowBytes(): number {
    return this.#windowBytes;
  }

  /** Most bytes one message should carry: a quarter of the window, in whole KiB. */
  get chunkBytes(): number {
    return Math.floor(this.#windowBytes / CHUNKS / 1024) * 1024;
  }

  /** What an acknowledgement takes lately, smoothed; 0 before the first. */
  get ackMs(): number {
    return this.#ackMs;
  }

  /** A message of so many bytes was acknowledged after so long. */
  sample(bytes: number, ackMs: number): void {
    this.#ackMs = this.#ackMs === 0 ? ackMs : (this.#ackMs * 7 + ackMs) / 8;
    if (ackMs > this.#budgetMs) this.lose(bytes);
    else this.#forgivenBytes = Math.max(0, this.#forgivenBytes - bytes);
    if (ackMs > this.#budgetMs / 2) return;
    const step = Math.min(STEP_BYTES, this.#windowBytes / 4);
    this.#resize(this.#windowBytes + (step * Math.min(bytes, this.#windowBytes)) / this.#windowBytes);
  }

  /** A message of so many bytes got no acknowledgement in time. */
  lose(bytes: number): void {
    if (this.#isFixed) return;
    // One cause delays all that is on its way: it halves the window once.
    if (this.#forgivenBytes === 0) {
      this.#forgivenBytes = this.#windowBytes;
      this.#resize(this.#windowBytes / 2);
    }
    this.#forgivenBytes = Math.max(0, this.#forgivenBytes - bytes);
  }

  /** The connection was lost, and with it all that was on its way. */
  reconnect(): void {
    this.#forgivenBytes = 0;
    if (!this.#isFixed) this.#resize(this.#windowBytes / 2);
  }

  get #isFixed(): boolean {
    return this.#budgetMs === Number.POSITIVE_INFINITY;
  }

  #resize(bytes: number): void {
    this.#windowBytes = Math.max(WINDOW_BYTES_MIN, Math.min(WINDOW_BYTES_MAX, bytes));
  }
}
