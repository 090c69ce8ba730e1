// What devices serve: verified versions that a release gave them, order by the sequence of releases alone, and every
// prediction from the one version that is served when it is made.

import type { DeviceFact, Prediction } from "../../device/fact.js";
import type { ServerStatus } from "../../server/status.js";
import type { DeviceId } from "../../shared/id.js";
import type { StoredVersion, Versions } from "./versions.js";
import type { Violations } from "./violations.js";

/** What a version must answer for a row, or undefined where that is not known. */
export type Oracle = (
  prediction: Prediction,
  version: Pick<StoredVersion, "params" | "scaler">,
) => number | undefined;

/** The server's word on what devices serve. */
export type ReleaseWord = Pick<ServerStatus, "sequence" | "stable" | "trial">;

/** Whether a device is in the trial of a release. */
export type IsIn = (device: DeviceId, trial: NonNullable<ReleaseWord["trial"]>) => boolean;

type Followed = Extract<DeviceFact, { type: "release-followed" }>;

/** A prediction in float32 against one in float64, over params of ordinary size. */
const TOLERANCE = 1e-3;

export interface ServingWatchOptions {
  readonly versions: Versions;
  readonly violations: Violations;
  readonly oracle: Oracle;
  readonly isIn: IsIn;
}

/** Watches all devices. */
export class ServingWatch {
  readonly #options: ServingWatchOptions;
  readonly #violations: Violations;
  readonly #releases = new Map<number, ReleaseWord>();
  /** Versions that have been stable. */
  readonly #promoted = new Set<number>();
  readonly #serving = new Map<DeviceId, number>();
  readonly #followed = new Map<DeviceId, Followed>();
  /** Devices on which a version has failed since they last told what they follow. */
  readonly #fallenBack = new Set<DeviceId>();
  #last: ReleaseWord | undefined;

  constructor(options: ServingWatchOptions) {
    this.#options = options;
    this.#violations = options.violations;
  }

  /** The server says what devices are to serve. */
  release(word: ReleaseWord): void {
    const before = this.#last ?? word;
    this.#violations.expect(
      word.sequence > before.sequence ||
        (word.sequence === before.sequence && word.stable === before.stable) ||
        before.stable === 0,
      () => `stable went from version ${before.stable} to ${word.stable} without a new release`,
    );
    this.#last = word;
    this.#releases.set(word.sequence, word);
    this.#promoted.add(word.stable);
  }

  /** A device's process has died: it serves nothing. */
  died(device: DeviceId): void {
    this.#serving.delete(device);
    // What could not be written is forgotten with it.
    this.#followed.delete(device);
    this.#fallenBack.delete(device);
  }

  see(device: DeviceId, fact: DeviceFact): void {
    if (fact.type === "serving") this.#serve(device, fact.version);
    if (fact.type === "version-failed") this.#fallenBack.add(device);
    if (fact.type === "release-followed") this.#follow(device, fact);
    if (fact.type === "prediction") this.#predicted(device, fact);
  }

  #serve(device: DeviceId, version: number): void {
    this.#violations.expect(
      this.#promoted.has(version) || this.#isCanary(device, version),
      () => `${device} serves version ${version}, which was never promoted and is no canary of its`,
    );
    this.#serving.set(device, version);
  }

  #follow(device: DeviceId, fact: Followed): void {
    const before = this.#followed.get(device);
    this.#violations.expect(
      before === undefined || fact.sequence >= before.sequence,
      () => `${device} followed release ${fact.sequence} after ${before?.sequence}`,
    );
    this.#expectOwn(device, fact);
    this.#followed.set(device, fact);
    this.#fallenBack.delete(device);
  }

  /** Under one release a device only comes to what that release gives it, or falls back by itself. */
  #expectOwn(device: DeviceId, { sequence, serving }: Followed): void {
    const before = this.#followed.get(device);
    const release = this.#releases.get(sequence);
    if (release === undefined || serving === null) return;
    const isCanary = release.trial?.version === serving && this.#isCanaryOf(device, release);
    this.#violations.expect(
      isCanary || this.#promoted.has(serving),
      () => `${device} serves version ${serving} under release ${sequence}, which does not give it that`,
    );
    const hasChanged = before?.sequence === sequence && before.serving !== serving;
    this.#violations.expect(
      !hasChanged || isCanary || serving === release.stable || this.#fallenBack.has(device),
      () => `${device} went from version ${before?.serving} to ${serving} without a later release`,
    );
  }

  #isCanary(device: DeviceId, version: number): boolean {
    return [...this.#releases.values()].some(
      (release) => release.trial?.version === version && this.#isCanaryOf(device, release),
    );
  }

  #isCanaryOf(device: DeviceId, { trial }: ReleaseWord): boolean {
    return trial?.mode === "canary" && this.#options.isIn(device, trial);
  }

  #predicted(device: DeviceId, prediction: Prediction): void {
    const { version, value } = prediction;
    const serving = this.#serving.get(device);
    this.#violations.expect(
      version === serving,
      () => `${device} predicted with version ${version} and serves ${serving}`,
    );
    const stored = this.#options.versions.get(version);
    const expected = stored && this.#options.oracle(prediction, stored);
    this.#violations.expect(
      expected === undefined || Math.abs(value - expected) <= TOLERANCE * Math.max(1, Math.abs(expected)),
      () => `${device} predicted ${value} with version ${version}, whose answer is ${expected}`,
    );
  }
}
