// Versions that did not work on this device: none of them is served again until a later release calls it stable. Only one
// that was blamed for deaths of the process gets another chance by itself, if it is stable.

import type { Clock } from "../../shared/clock.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import { FAILURE_DETAIL_MAX } from "../../shared/wire/report.js";
import {
  FAILED_MAX,
  type FailedVersion,
  isSameVersion,
  type ReleaseStore,
  type VersionName,
} from "./store.js";

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

/** A stable version that was blamed for deaths of the process is tried again after this long. */
const CRASH_LOOP_MS = 3_600_000;

/** What a device says of a version that it does not serve. */
export interface ToldFailure extends VersionName {
  readonly reason: string;
  /** What the engine or the disk said, shortened. */
  readonly detail: string;
}

/** Remembers failures, on disk where there is room; and what could not be taken up, until another release comes. */
export class Failures {
  readonly #store: ReleaseStore;
  readonly #clock: Clock;
  readonly #counters: Counters;
  #versions: readonly FailedVersion[];
  /** By hash: a release names two versions, so these are few. */
  readonly #refused = new Map<string, ToldFailure>();

  constructor(options: { readonly store: ReleaseStore; readonly clock: Clock; readonly counters: Counters }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#counters = options.counters;
    this.#versions = options.store.failed();
  }

  /** What there is to tell: first what could not be taken up, then what did not work, newest first. */
  get versions(): readonly ToldFailure[] {
    return [...this.#refused.values(), ...this.#versions];
  }

  /** A version that is wanted could not be taken up. True when that is news. */
  refuse({ version, sha256 }: VersionName, reason: string, detail = ""): boolean {
    const isNews = this.#refused.get(sha256)?.reason !== reason;
    this.#refused.set(sha256, { version, sha256, reason, detail: shortened(detail) });
    return isNews;
  }

  /** It has been after all. */
  taken({ sha256 }: VersionName): void {
    this.#refused.delete(sha256);
  }

  /** Another release has come. */
  forgetRefused(): void {
    this.#refused.clear();
  }

  has(name: VersionName): boolean {
    return this.#versions.some((each) => isSameVersion(each, name));
  }

  /**
   * How long until a version may be tried again that was blamed for deaths of the process, which a power supply can bring
   * about as well: undefined for any other.
   */
  probationMs(name: VersionName): number | undefined {
    const failed = this.#versions.find((each) => isSameVersion(each, name));
    if (failed?.reason !== "crash-loop") return undefined;
    const ageMs = this.#clock.now() - failed.failedMs;
    // A clock that was set back says nothing about the age.
    return ageMs < 0 ? CRASH_LOOP_MS : Math.max(0, CRASH_LOOP_MS - ageMs);
  }

  add(name: VersionName, reason: FailureReason, detail = ""): void {
    const { version, sha256 } = name;
    const failed = { version, sha256, reason, detail: shortened(detail), failedMs: this.#clock.now() };
    const others = this.#versions.filter((each) => !isSameVersion(each, name));
    this.#versions = [failed, ...others].slice(0, FAILED_MAX);
    this.#counters.add(`models.failed.${reason}`);
    try {
      this.#store.keepFailed(failed);
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
    try {
      this.#store.pardon(name);
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#counters.add(`models.failures-not-stored.${error.code}`);
    }
  }
}

function shortened(detail: string): string {
  return detail.slice(0, FAILURE_DETAIL_MAX);
}
