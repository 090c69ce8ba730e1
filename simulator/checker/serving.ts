// What devices serve: verified versions that the server has promoted, never back, and every prediction from the one
// version that is served when it is made.

import type { DeviceFact, Prediction } from "../../device/fact.js";
import type { DeviceId } from "../../shared/id.js";
import type { StoredVersion, Versions } from "./versions.js";
import type { Violations } from "./violations.js";

/** What a version must answer for a row, or undefined where that is not known. */
export type Oracle = (
  prediction: Prediction,
  version: Pick<StoredVersion, "params" | "scaler">,
) => number | undefined;

/** A prediction in float32 against one in float64, over params of ordinary size. */
const TOLERANCE = 1e-3;

/** Watches all devices. */
export class ServingWatch {
  readonly #versions: Versions;
  readonly #violations: Violations;
  readonly #oracle: Oracle;
  readonly #promoted = new Set<number>();
  readonly #serving = new Map<DeviceId, number>();
  readonly #newest = new Map<DeviceId, number>();
  #stable = 0;

  constructor(versions: Versions, violations: Violations, oracle: Oracle) {
    this.#versions = versions;
    this.#violations = violations;
    this.#oracle = oracle;
  }

  /** The server says what is stable. */
  promote(version: number): void {
    this.#violations.expect(
      version >= this.#stable,
      () => `stable went back from version ${this.#stable} to ${version}`,
    );
    this.#stable = version;
    this.#promoted.add(version);
  }

  /** A device's process has died: it serves nothing. */
  died(device: DeviceId): void {
    this.#serving.delete(device);
  }

  see(device: DeviceId, fact: DeviceFact): void {
    if (fact.type === "serving") this.#serve(device, fact.version);
    if (fact.type === "model-rejected" && fact.reason === "failed") this.#newest.delete(device);
    if (fact.type === "prediction") this.#predicted(device, fact);
  }

  #serve(device: DeviceId, version: number): void {
    this.#violations.expect(
      this.#promoted.has(version),
      () => `${device} serves version ${version}, which was never promoted`,
    );
    const newest = this.#newest.get(device) ?? 0;
    this.#violations.expect(
      version >= newest,
      () => `${device} went back from version ${newest} to ${version}`,
    );
    this.#newest.set(device, version);
    this.#serving.set(device, version);
  }

  #predicted(device: DeviceId, prediction: Prediction): void {
    const { version, value } = prediction;
    const serving = this.#serving.get(device);
    this.#violations.expect(
      version === serving,
      () => `${device} predicted with version ${version} and serves ${serving}`,
    );
    const stored = this.#versions.get(version);
    const expected = stored && this.#oracle(prediction, stored);
    this.#violations.expect(
      expected === undefined || Math.abs(value - expected) <= TOLERANCE * Math.max(1, Math.abs(expected)),
      () => `${device} predicted ${value} with version ${version}, whose answer is ${expected}`,
    );
  }
}
