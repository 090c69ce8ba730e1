// Fetches model blobs by their hash: from the cache, or from the server. Each blob once, however many want it.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { Random } from "../../shared/random.js";
import { Pace } from "../../shared/transport/pace.js";
import type { DownMessage, UpMessage } from "../../shared/wire/message.js";
import type { ModelCache } from "./cache.js";
import { Download } from "./download.js";
import { type HashedBlob, hashBlob } from "./hashed-blob.js";

/** A round's base and a stable version at once, and one of each that came after. */
const DOWNLOADS_MAX = 4;

/** Most bytes of one part where nobody says otherwise. For brokers we do not know: a whole packet stays below 64 KiB. */
export const CHUNK_BYTES = 32 * 1024;

/** A blob, or word that the server does not have it. */
export type Fetched = { readonly ok: true; readonly blob: HashedBlob } | { readonly ok: false };

/** What is wanted. */
export interface BlobName {
  readonly sha256: string;
  readonly bytes: number;
  readonly chunkBytes: number;
}

interface Running {
  readonly download: Download;
  readonly wants: Set<(fetched: Fetched) => void>;
}

/** All downloads of one device. */
export class Downloader {
  readonly #cache: Pick<ModelCache, "blob">;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #counters: Counters;
  readonly #get: (message: UpMessage<"get">) => void;
  /** Of all downloads together: they share the way down. */
  readonly #pace: Pace;
  readonly #running = new Map<string, Running>();

  constructor(options: {
    /** Where a blob may be already. */
    readonly cache: Pick<ModelCache, "blob">;
    readonly clock: Clock;
    readonly random: Random;
    readonly counters: Counters;
    /** Of the link; 0 = none. */
    readonly keepaliveMs: number;
    readonly get: (message: UpMessage<"get">) => void;
  }) {
    this.#cache = options.cache;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#counters = options.counters;
    this.#get = options.get;
    this.#pace = new Pace(options);
  }

  /** The blob, whose hash is right. Keeps asking until `signal` aborts, then rejects with `aborted`. */
  fetch(name: BlobName, signal: AbortSignal): Promise<Fetched> {
    const cached = this.#cache.blob(name.sha256);
    if (cached !== undefined) return Promise.resolve({ ok: true, blob: hashBlob(cached) });
    // Nothing to ask for, so no answer would ever end it.
    if (name.bytes === 0) return Promise.resolve({ ok: false });
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(aborted(name));
      const running = this.#run(name);
      if (running === undefined) return reject(aborted(name));
      const abort = () => {
        this.#leave(name.sha256, want);
        reject(aborted(name));
      };
      const want = (fetched: Fetched) => {
        signal.removeEventListener("abort", abort);
        resolve(fetched);
      };
      running.wants.add(want);
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** Takes a block of any download. */
  accept(block: DownMessage<"block">): void {
    const running = this.#running.get(block.sha256);
    if (running === undefined) this.#counters.add("messages.unwanted-block");
    else running.download.accept(block);
  }

  /** The server does not have a blob (any more). */
  refuse({ sha256 }: DownMessage<"refusal">): void {
    this.#counters.add("downloads.refused");
    this.#end(sha256, { ok: false });
  }

  /** The connection is new. */
  askAgain(): void {
    if (this.#running.size > 0) this.#pace.reconnect();
    for (const { download } of this.#running.values()) download.askAgain();
  }

  #run(name: BlobName): Running | undefined {
    const running = this.#running.get(name.sha256);
    if (running !== undefined) return running;
    if (this.#running.size >= DOWNLOADS_MAX) return undefined;
    const started = { download: this.#download(name), wants: new Set<(fetched: Fetched) => void>() };
    this.#running.set(name.sha256, started);
    return started;
  }

  #download(name: BlobName): Download {
    return new Download({
      ...name,
      clock: this.#clock,
      random: this.#random,
      pace: this.#pace,
      get: (part) => this.#get({ v: 1, ...part }),
      onDone: (blob) => this.#end(name.sha256, { ok: true, blob }),
      onCorrupt: () => this.#counters.add("downloads.corrupt"),
    });
  }

  #end(sha256: string, fetched: Fetched): void {
    const running = this.#running.get(sha256);
    if (running === undefined) return;
    this.#running.delete(sha256);
    running.download.cancel();
    for (const want of running.wants) want(fetched);
  }

  #leave(sha256: string, want: (fetched: Fetched) => void): void {
    const running = this.#running.get(sha256);
    running?.wants.delete(want);
    if (running?.wants.size !== 0) return;
    running.download.cancel();
    this.#running.delete(sha256);
  }
}

function aborted({ sha256 }: BlobName): HeadwaterError {
  return new HeadwaterError("aborted", `download of ${sha256} was aborted`);
}
