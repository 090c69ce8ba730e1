// One blob on its way: which parts are there, which are asked for, when to ask again. The device pulls, a few
// parts at a time and no more than the pace allows, because whatever is pushed faster than a slow link carries
// ends the connection.

import type { Cancel, Clock } from "../../shared/clock.js";
import type { Random } from "../../shared/random.js";
import { Retry } from "../../shared/retry.js";
import type { Pace } from "../../shared/transport/pace.js";
import type { DownMessage } from "../../shared/wire/message.js";
import { RangeQueue } from "../../shared/wire/range-queue.js";
import { type HashedBlob, hashBlob } from "./hashed-blob.js";

/** `get`s without an answer. */
const IN_FLIGHT_MAX = 4;
const RETRY = { firstMs: 10_000, maxMs: 120_000, jitter: 0.2 } as const;

/** What is to be fetched, and how. */
export interface DownloadOptions {
  readonly sha256: string;
  readonly bytes: number;
  /** Most bytes of one part, whatever the pace. */
  readonly chunkBytes: number;
  /** Of what comes down; fed here. */
  readonly pace: Pace;
  readonly clock: Clock;
  readonly random: Random;
  /** Asks for a part. Loss is expected. */
  readonly get: (part: { readonly sha256: string; readonly offset: number; readonly length: number }) => void;
  /** All bytes are there and have the right hash. */
  readonly onDone: (blob: HashedBlob) => void;
  /** All bytes were there and had not: everything is fetched again. */
  readonly onCorrupt: () => void;
}

interface Asked {
  length: number;
  askedMs: number;
  readonly retry: Retry;
  cancel: Cancel;
}

/** Fetches one blob until it is there or `cancel` is called. Never holds more than the blob. */
export class Download {
  readonly #options: DownloadOptions;
  readonly #afterCorrupt: Retry;
  readonly #buffer: Uint8Array;
  #waiting = new RangeQueue(0, []);
  readonly #asked = new Map<number, Asked>();
  #askedBytes = 0;
  #cancelRestart: Cancel = () => undefined;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.#afterCorrupt = new Retry(RETRY, options.random);
    this.#buffer = new Uint8Array(options.bytes);
    this.#start();
  }

  /** Takes a block; what was not asked for is ignored. It may be longer: then it was asked for on a faster link. */
  accept({ offset, total, data }: DownMessage<"block">): void {
    const asked = this.#asked.get(offset);
    if (asked === undefined || data.length < asked.length || total !== this.#buffer.length) return;
    const { pace, clock } = this.#options;
    pace.sample(data.length, clock.now() - asked.askedMs);
    this.#buffer.set(data.subarray(0, asked.length), offset);
    asked.cancel();
    this.#asked.delete(offset);
    this.#askedBytes -= asked.length;
    if (this.#asked.size === 0 && this.#waiting.isEmpty) this.#finish();
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
    this.#waiting = new RangeQueue(0, []);
  }

  #start(): void {
    const { bytes } = this.#options;
    this.#waiting = new RangeQueue(bytes, [[0, bytes]]);
    this.#askMore();
  }

  #askMore(): void {
    const { random, pace } = this.#options;
    while (this.#asked.size < IN_FLIGHT_MAX) {
      const length = this.#partBytes();
      if (this.#asked.size > 0 && this.#askedBytes + length > pace.windowBytes) return;
      const part = this.#waiting.take(length);
      if (part === undefined) return;
      const asked = { length: part[1], askedMs: 0, retry: new Retry(RETRY, random), cancel: () => undefined };
      this.#asked.set(part[0], asked);
      this.#askedBytes += asked.length;
      this.#ask(part[0], asked);
    }
  }

  #ask(offset: number, asked: Asked): void {
    const { clock, get, sha256 } = this.#options;
    this.#shorten(offset, asked);
    asked.askedMs = clock.now();
    asked.cancel = clock.after(asked.retry.next(), () => this.#retry(offset, asked));
    get({ sha256, offset, length: asked.length });
  }

  #retry(offset: number, asked: Asked): void {
    this.#options.pace.lose(asked.length);
    this.#ask(offset, asked);
  }

  /** Asks for no more than the link bears by now; the rest has to wait. */
  #shorten(offset: number, asked: Asked): void {
    const excess = asked.length - this.#partBytes();
    if (excess <= 0) return;
    asked.length -= excess;
    this.#askedBytes -= excess;
    this.#waiting.putBack([offset + asked.length, excess]);
  }

  #partBytes(): number {
    return Math.min(this.#options.chunkBytes, this.#options.pace.chunkBytes);
  }

  #finish(): void {
    const { sha256, clock, onDone, onCorrupt } = this.#options;
    const blob = hashBlob(this.#buffer);
    if (blob.sha256 === sha256) {
      onDone(blob);
      return;
    }
    onCorrupt();
    this.#cancelRestart = clock.after(this.#afterCorrupt.next(), () => this.#start());
  }
}
