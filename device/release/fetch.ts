// Fetches one version's blob, again and again until it is here and kept.

import type { Cancel, Clock } from "../../shared/clock.js";
import type { Random } from "../../shared/random.js";
import { Retry } from "../../shared/retry.js";
import type { Manifest } from "../../shared/wire/message.js";
import { CHUNK_BYTES, type Downloader } from "../model/downloader.js";
import type { HashedBlob } from "../model/hashed-blob.js";

const RETRY = { firstMs: 30_000, maxMs: 300_000, jitter: 0.2 } as const;

/** What fetching stands on. */
export interface FetchOptions {
  readonly downloader: Downloader;
  readonly clock: Clock;
  readonly random: Random;
  /** The server does not have it: it is asked again later. */
  readonly isGone: () => void;
}

/** One version on its way. */
export class Fetch {
  readonly manifest: Manifest;
  readonly #options: FetchOptions;
  readonly #keep: (blob: HashedBlob) => boolean;
  readonly #retry: Retry;
  readonly #end = new AbortController();
  #cancelRetry: Cancel = () => undefined;

  /** `keep` gets the blob; false: it could not be kept, so it is fetched again later. */
  constructor(options: FetchOptions, manifest: Manifest, keep: (blob: HashedBlob) => boolean) {
    this.#options = options;
    this.manifest = manifest;
    this.#keep = keep;
    this.#retry = new Retry(RETRY, options.random);
  }

  start(): void {
    const { sha256, bytes } = this.manifest;
    const { signal } = this.#end;
    this.#options.downloader.fetch({ sha256, bytes, chunkBytes: CHUNK_BYTES }, signal).then(
      (fetched) => {
        if (signal.aborted) return;
        if (!fetched.ok) this.#options.isGone();
        if (!fetched.ok || !this.#keep(fetched.blob)) this.#again();
      },
      () => {
        if (!signal.aborted) this.#again();
      },
    );
  }

  stop(): void {
    this.#cancelRetry();
    this.#end.abort();
  }

  #again(): void {
    this.#cancelRetry = this.#options.clock.after(this.#retry.next(), () => this.start());
  }
}
