// Follows the server's releases: what is asked of this device is chosen, fetched, and put into the slot. Order is by
// sequence alone, so which version is served may go back; an older word never counts.

import type { Cancel } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import type { DeviceId } from "../../shared/id.js";
import type { Labels, Manifest, Release } from "../../shared/wire/message.js";
import type { Observe } from "../fact.js";
import type { ModelCache } from "../model/cache.js";
import { type Choice, chooseFrom } from "./choice.js";
import type { Failures } from "./failures.js";
import { Fetch, type FetchOptions } from "./fetch.js";
import type { Probation } from "./probation.js";
import type { Missing, ModelSlot } from "./slot.js";
import { isSameVersion, type ReleaseStore, type VersionName } from "./store.js";

/** What following stands on. */
export interface FollowerOptions extends Omit<FetchOptions, "isGone"> {
  readonly deviceId: DeviceId;
  readonly labels: Labels;
  readonly slot: ModelSlot;
  readonly store: ReleaseStore;
  readonly failures: Failures;
  readonly probation: Probation;
  readonly cache: ModelCache;
  /** True when the server has signed the release. */
  readonly isSignedRelease: (release: Release) => boolean;
  readonly counters: Counters;
  readonly observe: Observe;
}

/** Follows the newest release. At most its two versions are being fetched. */
export class ReleaseFollower {
  readonly #options: FollowerOptions;
  readonly #fetches = new Map<Missing["role"], Fetch>();
  /** Hashes of this release's versions that were refused: they are not fetched again. */
  readonly #refused = new Set<string>();
  #release: Release | undefined;
  #sequence = 0;
  #followedMs: number;
  #told = "";
  #cancelRetry: Cancel = () => undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#followedMs = options.clock.now();
  }

  /** Of the release that is followed; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  /** When it was first followed. */
  get followedMs(): number {
    return this.#followedMs;
  }

  /** Goes on where the last process was, with what is on disk. */
  restore(): void {
    const { store, slot, probation, isSignedRelease } = this.#options;
    const kept = store.read();
    if (kept !== undefined) {
      this.#sequence = kept.sequence;
      this.#followedMs = kept.followedMs;
      if (kept.release !== undefined && isSignedRelease(kept.release)) this.#release = kept.release;
    }
    const killer = probation.restart();
    if (killer !== undefined && this.#hasOther(killer)) {
      this.#options.failures.add(killer, "crash-loop");
      this.#options.observe({ type: "version-failed", version: killer.version, reason: "crash-loop" });
    }
    slot.restore(this.#choice());
    if (this.#release !== undefined) this.#fetchMissing(this.#release);
  }

  /** The server's word, its signatures verified. */
  follow(release: Release): void {
    const { counters, failures, clock } = this.#options;
    if (release.sequence < this.#sequence) {
      counters.add("releases.old");
      return;
    }
    if (release.sequence === this.#sequence && this.#release !== undefined) return;
    // Of an equal number the content has been lost: it is the same word.
    if (release.sequence > this.#sequence) {
      failures.pardon(release.stable);
      this.#followedMs = clock.now();
    }
    this.#sequence = release.sequence;
    this.#release = release;
    this.#refused.clear();
    failures.forgetRefused();
    this.#fetchMissing(release);
    this.announce();
  }

  /** Tells what is followed by now, unless it has been told. */
  announce(): void {
    const { slot, observe } = this.#options;
    const serving = slot.serving?.manifest.version ?? null;
    const beside = slot.beside?.manifest.version ?? null;
    const told = [this.#sequence, serving, beside].join();
    if (told === this.#told) return;
    this.#told = told;
    observe({ type: "release-followed", sequence: this.#sequence, serving, beside });
  }

  /** Gives up what is being fetched. */
  stop(): void {
    this.#cancelRetry();
    for (const fetch of this.#fetches.values()) fetch.stop();
    this.#fetches.clear();
  }

  #choice(): Choice | undefined {
    const { deviceId: device, labels, failures } = this.#options;
    const hasFailed = (name: VersionName) => failures.has(name);
    return this.#release && chooseFrom(this.#release, { device, labels, hasFailed });
  }

  #fetchMissing(release: Release): void {
    const { slot, store } = this.#options;
    const choice = this.#choice();
    if (choice === undefined) return;
    const missing = slot.follow(choice, () => store.keep(release, this.#followedMs));
    for (const [role, fetch] of this.#fetches) {
      if (missing.some((each) => each.role === role && isSameVersion(each.manifest, fetch.manifest)))
        continue;
      fetch.stop();
      this.#fetches.delete(role);
    }
    for (const each of missing) if (!this.#fetches.has(each.role)) this.#start(each);
    this.#retryStable(release);
  }

  #retryStable(release: Release): void {
    const { failures, clock } = this.#options;
    this.#cancelRetry();
    const waitMs = failures.probationMs(release.stable);
    if (waitMs === undefined) return;
    this.#cancelRetry = clock.after(waitMs, () => {
      failures.pardon(release.stable);
      this.#fetchMissing(release);
    });
  }

  #start(missing: Missing): void {
    const { role, manifest } = missing;
    const { clock, slot } = this.#options;
    if (this.#refused.has(manifest.sha256)) return;
    if (manifest.expiresMs <= clock.now()) {
      this.#refuseExpired(missing);
      return;
    }
    const isGone = () => this.#refuse(manifest, "not-there");
    const fetch = new Fetch({ ...this.#options, isGone }, manifest, (blob) => {
      // As the release has it by now: a shadow may have become a canary meanwhile.
      const mode = this.#choice()?.trial?.mode ?? "shadow";
      const installed = slot.install(missing, blob, mode);
      if (installed === "rejected") this.#refused.add(manifest.sha256);
      if (installed !== "not-stored") this.#fetches.delete(role);
      return installed !== "not-stored";
    });
    this.#fetches.set(role, fetch);
    fetch.start();
  }

  #refuseExpired({ manifest }: Missing): void {
    this.#refused.add(manifest.sha256);
    this.#options.counters.add("models.rejected.expired");
    this.#refuse(manifest, "expired");
  }

  #refuse(manifest: Manifest, reason: string): void {
    const { failures, observe } = this.#options;
    if (failures.refuse(manifest, reason))
      observe({ type: "model-rejected", version: manifest.version, reason });
  }

  // With nothing to fall back to, a version that may be innocent is better than none.
  #hasOther(killer: VersionName): boolean {
    const { cache } = this.#options;
    return (["stable", "previous"] as const).some((role) => {
      const kept = cache.read(role);
      return kept !== undefined && !isSameVersion(kept.manifest, killer);
    });
  }
}
