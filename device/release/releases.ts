// Everything that decides what a deployment serves, put together over one database.

import type { Database } from "../../shared/storage/port.js";
import type { Release } from "../../shared/wire/message.js";
import { Failures, type ToldFailure } from "./failures.js";
import { type FollowerOptions, ReleaseFollower } from "./follower.js";
import { Probation } from "./probation.js";
import { ModelSlot } from "./slot.js";
import { ReleaseStore } from "./store.js";
import { VersionTrial, type VersionTrialOptions } from "./version-trial.js";

/** What releases stand on. */
export interface ReleasesOptions
  extends Omit<FollowerOptions, "slot" | "store" | "failures" | "probation">,
    VersionTrialOptions {
  readonly state: Database;
  /** Names this start of the machine, where that is known. */
  readonly boot?: string | undefined;
  /** What is served, or scored beside it, has changed. */
  readonly onChange: () => void;
}

/** The releases of one deployment. */
export class Releases {
  readonly slot: ModelSlot;
  readonly #failures: Failures;
  readonly #probation: Probation;
  readonly #follower: ReleaseFollower;

  constructor(options: ReleasesOptions) {
    const { state, clock, counters } = options;
    const store = new ReleaseStore(state);
    this.#failures = new Failures({ store, clock, counters });
    this.#probation = new Probation(state, clock, options.boot);
    const parts = { ...options, store, failures: this.#failures, probation: this.#probation };
    const onChange = () => {
      this.#follower.announce();
      options.onChange();
    };
    this.slot = new ModelSlot({ ...parts, versions: new VersionTrial(options), onChange });
    this.#follower = new ReleaseFollower({ ...parts, slot: this.slot });
  }

  /** Of the release that is followed; 0 before the first. */
  get sequence(): number {
    return this.#follower.sequence;
  }

  /** When it was first followed. */
  get followedMs(): number {
    return this.#follower.followedMs;
  }

  /** Versions that did not work here, or could not be taken up, newest first. */
  get failed(): readonly ToldFailure[] {
    return this.#failures.versions;
  }

  /** Goes on where the last process was. */
  restore(): void {
    this.#follower.restore();
  }

  /** The server's word, its signatures verified. */
  follow(release: Release): void {
    this.#follower.follow(release);
  }

  /** Another task takes over, or the device stops. */
  close(): void {
    this.#follower.stop();
    this.#probation.stop();
  }

  /** The process is gone. */
  abandon(): void {
    this.#follower.stop();
    this.#probation.abandon();
  }
}
