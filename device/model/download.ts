// One blob on its way: which parts are there, which are asked for, when to ask again. The device pulls, a few
// parts at a time, because whatever is pushed faster than a slow link carries ends the connection.

import type { Cancel, Clock } from "../../shared/clock.js";
import type { Random } from "../../shared/random.js";
import { Retry } from "../../shared/retry.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import { splitChunks } from "../../shared/wire/chunk.js";
import type { DownMessage } from "../../shared/wire/message.js";

/** `get`s without an answer. */
const IN_FLIGHT_MAX = 4;
const RETRY = { firstMs: 10_000, maxMs: 120_000, jitter: 0.2 } as const;

/** What is to be fetched, and how. */
export interface DownloadOptions {
  readonly sha256: string;
  readonly bytes: number;
  readonly chunkBytes: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Asks for a part. Loss is expected. */
  readonly get: (part: { readonly sha256: string; readonly offset: number; readonly length: number }) => void;
  /** All bytes are there and have the right hash. */
  readonly onDone: (blob: Uint8Array) => void;
  /** All bytes were there and had not: everything is fetched again. */
  readonly onCorrupt: () => void;
}

interface Asked {
  readonly length: number;
  readonly retry: Retry;
  cancel: Cancel;
}

/** Fetches one blob until it is there or `cancel` is called. Never holds more than the blob. */
export class Download {
  readonly #options: DownloadOptions;
  readonly #afterCorrupt: Retry;
  readonly #buffer: Uint8Array;
  #waiting: [offset: number, length: number][] = [];
  readonly #asked = new Map<number, Asked>();
  #cancelRestart: Cancel = () => undefined;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.#afterCorrupt = new Retry(RETRY, options.random);
    this.#buffer = new Uint8Array(options.bytes);
    this.#start();
  }

  /** Takes a block; what was not asked for is ignored. */
  accept({ offset, total, data }: DownMessage<"block">): void {
    const asked = this.#asked.get(offset);
    if (asked === undefined || data.length !== asked.length || total !== this.#buffer.length) return;
    this.#buffer.set(data, offset);
    asked.cancel();
    this.#asked.delete(offset);
    if (this.#asked.size === 0 && this.#waiting.length === 0) this.#finish();
    else this.#askMore();
  }

  /** The connection is new: what was asked for on the old one is lost. */
  askAgain(): void {
    for (const [offset, asked] of this.#asked) {
      asked.cancel();
      asked.retry.reset();
      this.#ask(offset, asked);
    }
  }

  cancel(): void {
    this.#cancelRestart();
    for (const { cancel } of this.#asked.values()) cancel();
    this.#asked.clear();
    this.#waiting = [];
  }

  #start(): void {
    const { bytes, chunkBytes } = this.#options;
    this.#waiting = splitChunks(bytes, chunkBytes, [[0, bytes]]);
    this.#askMore();
  }

  #askMore(): void {
    while (this.#asked.size < IN_FLIGHT_MAX) {
      const part = this.#waiting.shift();
      if (part === undefined) return;
      const [offset, length] = part;
      const asked = { length, retry: new Retry(RETRY, this.#options.random), cancel: () => undefined };
      this.#asked.set(offset, asked);
      this.#ask(offset, asked);
    }
  }

  #ask(offset: number, asked: Asked): void {
    const { clock, get, sha256 } = this.#options;
    asked.cancel = clock.after(asked.retry.next(), () => this.#ask(offset, asked));
    get({ sha256, offset, length: asked.length });
  }

  #finish(): void {
    const { sha256, clock, onDone, onCorrupt } = this.#options;
    if (sha256Hex(this.#buffer) === sha256) {
      onDone(this.#buffer);
      return;
    }
    onCorrupt();
    this.#cancelRestart = clock.after(this.#afterCorrupt.next(), () => this.#start());
  }
}
