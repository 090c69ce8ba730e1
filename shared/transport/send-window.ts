// What one connection has published and the broker not yet acknowledged: bounded in bytes and in messages. What
// does not fit waits in a queue that is bounded too.

import type { Cancel, Clock } from "../clock.js";
import { HeadwaterError } from "../error.js";
import type { Pace } from "./pace.js";

/** A message on its way to the broker. */
export interface Outbound {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
}

export interface SendWindowOptions {
  readonly pace: Pace;
  readonly clock: Clock;
  /** A publish waits this long for its acknowledgement, longer on a link known to be slow. */
  readonly ackTimeoutMs: number;
  /** Hands a message to the connection; the returned function forgets it. */
  readonly send: (message: Outbound, onAcknowledged: () => void) => () => void;
}

/** Most that waits for the window: several updates of a few MB. */
const WAITING_MESSAGES_MAX = 4096;
const WAITING_BYTES_MAX = 32 * 1024 * 1024;
/** Acknowledgements this many times slower than of late are not expected any more. */
const SLOWER = 4;

interface Waiting {
  readonly message: Outbound;
  readonly bytes: number;
  readonly settle: (error?: HeadwaterError) => void;
}

/** Sends in the order of `post`, as far as the pace allows. */
export class SendWindow {
  readonly #options: SendWindowOptions;
  readonly #inFlight = new Set<(error?: HeadwaterError) => void>();
  #waiting: Waiting[] = [];
  #inFlightBytes = 0;
  #waitingBytes = 0;
  #isClosed = false;

  constructor(options: SendWindowOptions) {
    this.#options = options;
  }

  /** Resolves when it was acknowledged; rejects with `transport-timeout` or `transport-closed`. */
  post(message: Outbound): Promise<void> {
    const bytes = message.topic.length + message.payload.length;
    if (this.#isClosed) return Promise.reject(closedError(message.topic));
    if (this.#waiting.length >= WAITING_MESSAGES_MAX || this.#waitingBytes + bytes > WAITING_BYTES_MAX) {
      return Promise.reject(fullError(message.topic, this.#waiting.length, this.#waitingBytes));
    }
    return new Promise((resolve, reject) => {
      const settle = (error?: HeadwaterError) => (error === undefined ? resolve() : reject(error));
      this.#waiting.push({ message, bytes, settle });
      this.#waitingBytes += bytes;
      this.#sendMore();
    });
  }

  /** The connection is gone: everything in flight and waiting rejects with `transport-closed`. */
  close(): void {
    this.#isClosed = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const end of [...this.#inFlight]) end(closedError("in flight"));
    for (const { message, settle } of waiting) settle(closedError(message.topic));
  }

  #sendMore(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#waitingBytes -= next.bytes;
      this.#send(next);
    }
  }

  #fits({ bytes }: Waiting): boolean {
    const { windowBytes, windowMessages } = this.#options.pace;
    if (this.#inFlight.size === 0) return true;
    return this.#inFlight.size < windowMessages && this.#inFlightBytes + bytes <= windowBytes;
  }

  #send({ message, bytes, settle }: Waiting): void {
    const { clock, pace, send } = this.#options;
    const sentMs = clock.now();
    let cancel: Cancel = () => undefined;
    const end = (error?: HeadwaterError) => {
      if (!this.#inFlight.delete(end)) return;
      this.#inFlightBytes -= bytes;
      cancel();
      settle(error);
      if (!this.#isClosed) this.#sendMore();
    };
    this.#inFlight.add(end);
    this.#inFlightBytes += bytes;
    const forget = send(message, () => {
      if (this.#inFlight.has(end)) pace.sample(bytes, clock.now() - sentMs);
      end();
    });
    // It may have been acknowledged already, or its connection have ended.
    if (!this.#inFlight.has(end)) return;
    const timeoutMs = Math.max(this.#options.ackTimeoutMs, SLOWER * pace.ackMs);
    cancel = clock.after(timeoutMs, () => {
      pace.lose(bytes);
      forget();
      end(timeoutError(message.topic, timeoutMs));
    });
  }
}

/** A publish without a connection, or whose connection went. */
export function closedError(what: string): HeadwaterError {
  return new HeadwaterError("transport-closed", `${what}: not connected to the broker`);
}

function timeoutError(topic: string, timeoutMs: number): HeadwaterError {
  return new HeadwaterError("transport-timeout", `${topic}: no acknowledgement within ${timeoutMs} ms`);
}

function fullError(topic: string, messages: number, bytes: number): HeadwaterError {
  const limit = `limit ${WAITING_MESSAGES_MAX} and ${WAITING_BYTES_MAX}`;
  return new HeadwaterError(
    "transport-timeout",
    `${topic}: ${messages} messages of ${bytes} bytes wait, ${limit}`,
  );
}
