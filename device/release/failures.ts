// Versions that did not work on this device: none of them is served again until a later release calls it stable.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import { FAILED_MAX, isSameVersion, type ReleaseStore, type VersionName } from "./store.js";

/** Why a version did not work. */
export type FailureReason =
  /** It gave no finite answers on the device's own rows before it was taken up. */
  | "self-check"
  /** The engine gave an error. */
  | "exception"
  /** Too many of its answers are no finite numbers. */
  | "not-finite"
  /** The process died again and again soon after the version was taken up. */
  | "crash-loop";

/** Remembers failures, on disk where there is room. */
export class Failures {
  readonly #store: ReleaseStore;
  readonly #clock: Clock;
  readonly #counters: Counters;
  #versions: readonly VersionName[];

  constructor(options: { readonly store: ReleaseStore; readonly clock: Clock; readonly counters: Counters }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#counters = options.counters;
    this.#versions = options.store.failed();
  }

  /** Newest first. */
  get versions(): readonly VersionName[] {
    return this.#versions;
  }

  has(name: VersionName): boolean {
    return this.#versions.some((each) => isSameVersion(each, name));
  }

  add(name: VersionName, reason: FailureReason): void {
    const { version, sha256 } = name;
    const others = this.#versions.filter((each) => !isSameVersion(each, name));
    this.#versions = [{ version, sha256 }, ...others].slice(0, FAILED_MAX);
    this.#counters.add(`models.failed.${reason}`);
    try {
      this.#store.keepFailed(name, this.#clock.now(), reason);
      this.#versions = this.#store.failed();
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      // Until a restart it is remembered all the same.
      this.#counters.add(`models.failures-not-stored.${error.code}`);
    }
  }

  /** A later release calls the version stable. */
  pardon(name: VersionName): void {
    if (!this.has(name)) return;
    this.#versions = this.#versions.filter((each) => !isSameVersion(each, name));
    this.#store.pardon(name);
  }
}
