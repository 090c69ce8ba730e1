// Follows the stable line: whenever the server names a newer version, fetches it and puts it into the slot.

import type { Cancel, Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { Random } from "../../shared/random.js";
import { Retry } from "../../shared/retry.js";
import type { Manifest } from "../../shared/wire/message.js";
import type { Observe } from "../fact.js";
import type { Downloader } from "../model/downloader.js";
import type { ModelSlot } from "./slot.js";

/** For brokers we do not know: a whole packet stays below 64 KiB. */
const CHUNK_BYTES = 32 * 1024;
const RETRY = { firstMs: 30_000, maxMs: 300_000, jitter: 0.2 } as const;

/** What following stands on. */
export interface StableOptions {
  readonly slot: ModelSlot;
  readonly downloader: Downloader;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
  readonly observe: Observe;
}

/** Fetches at most one version at a time: the newest that was named. */
export class StableFollower {
  readonly #options: StableOptions;
  readonly #retry: Retry;
  #wanted: Manifest | undefined;
  #fetching = new AbortController();
  #cancelRetry: Cancel = () => undefined;
  /** Hash of the last version that was refused: it is not fetched again. */
  #refused: string | undefined;

  constructor(options: StableOptions) {
    this.#options = options;
    this.#retry = new Retry(RETRY, options.random);
  }

  /** The server's word on what to serve, its signature verified. */
  follow(manifest: Manifest): void {
    const { slot, clock } = this.#options;
    const newest = Math.max(this.#wanted?.version ?? -1, slot.serving?.manifest.version ?? -1);
    if (manifest.version <= newest || manifest.sha256 === this.#refused) return;
    if (manifest.expiresMs <= clock.now()) {
      this.#refuse(manifest, "expired");
      return;
    }
    this.stop();
    this.#wanted = manifest;
    this.#fetching = new AbortController();
    this.#retry.reset();
    this.#fetch(manifest);
  }

  /** Gives up what is being fetched. */
  stop(): void {
    this.#wanted = undefined;
    this.#cancelRetry();
    this.#fetching.abort();
  }

  #fetch(manifest: Manifest): void {
    const { sha256, bytes } = manifest;
    const { signal } = this.#fetching;
    this.#options.downloader.fetch({ sha256, bytes, chunkBytes: CHUNK_BYTES }, signal).then(
      (fetched) => {
        if (signal.aborted) return;
        const installed = fetched.ok ? this.#options.slot.install(fetched.blob, manifest) : "not-there";
        if (installed === "serving" || installed === "rejected") this.#wanted = undefined;
        if (installed === "rejected") this.#refused = sha256;
        if (this.#wanted !== undefined) this.#fetchLater(manifest);
      },
      () => {
        if (!signal.aborted) this.#fetchLater(manifest);
      },
    );
  }

  #fetchLater(manifest: Manifest): void {
    this.#cancelRetry = this.#options.clock.after(this.#retry.next(), () => this.#fetch(manifest));
  }

  #refuse({ version, sha256 }: Manifest, reason: string): void {
    this.#refused = sha256;
    this.#options.counters.add(`models.rejected.${reason}`);
    this.#options.observe({ type: "model-rejected", version, reason });
  }
}
