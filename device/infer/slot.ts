// The model slot: what this device serves. Only a verified, fitting, working version gets in, and the last good
// one stays at hand: for a start without a network, and for the day the new one fails.

import { assert } from "../../shared/assert.js";
import type { Counters } from "../../shared/counters.js";
import { HeadwaterError } from "../../shared/error.js";
import type { Model } from "../../shared/model/runtime.js";
import { isAllFinite } from "../../shared/params/vector.js";
import { scaleInto } from "../../shared/pipeline/scaler.js";
import type { Manifest } from "../../shared/wire/message.js";
import type { Observe } from "../fact.js";
import type { ModelCache } from "../model/cache.js";
import { type BaseModel, checkModel, type ModelPlace } from "../model/check.js";
import { type HashedBlob, hashBlob } from "../model/hashed-blob.js";

/** Rows of the device's own on which a new version must give finite outputs. */
const SAMPLE_ROWS = 32;

/** What became of a new version. `not-stored`: the disk is full or broken, so it may be tried again. */
export type Installed = "serving" | "rejected" | "not-stored";

/** What a slot stands on. */
export interface SlotOptions {
  readonly cache: ModelCache;
  readonly place: ModelPlace;
  readonly model: Model;
  /** Bytes of recent unscaled feature rows, at most so many. */
  readonly samples: (limit: number) => readonly Uint8Array[];
  /** True when the server has signed the manifest. */
  readonly isSigned: (manifest: Manifest) => boolean;
  readonly counters: Counters;
  readonly observe: Observe;
}

/** Holds the served version. */
export class ModelSlot {
  readonly #options: SlotOptions;
  #serving: BaseModel | undefined;

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  get serving(): BaseModel | undefined {
    return this.#serving;
  }

  /** Serves what was served last, if it still fits: without a network, and whatever its expiry. */
  restore(): void {
    const { cache, counters } = this.#options;
    for (let kept = cache.read("current"); kept !== undefined; kept = cache.read("current")) {
      const checked = this.#options.isSigned(kept.manifest)
        ? this.#check(hashBlob(kept.blob), kept.manifest)
        : ({ ok: false, reason: "bad-signature" } as const);
      if (checked.ok) {
        this.#serve(checked.model);
        return;
      }
      counters.add(`models.not-restored.${checked.reason}`);
      if (!this.#demote()) return;
    }
  }

  /** Serves a new version whose manifest has been verified, or says why not; then the old one stays. */
  install(blob: HashedBlob, manifest: Manifest): Installed {
    const { cache, counters, observe } = this.#options;
    assert(manifest.version > (this.#serving?.manifest.version ?? -1), "versions only grow");
    const checked = this.#check(blob, manifest);
    if (!checked.ok) {
      counters.add(`models.rejected.${checked.reason}`);
      observe({ type: "model-rejected", version: manifest.version, reason: checked.reason });
      return "rejected";
    }
    try {
      cache.promote({ manifest, blob: blob.bytes });
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      counters.add(`models.not-stored.${error.code}`);
      return "not-stored";
    }
    this.#serve(checked.model);
    return "serving";
  }

  /** The served version has failed: back to the one before, or to none. */
  fallBack(): void {
    const failed = this.#serving;
    if (failed === undefined) return;
    this.#serving = undefined;
    this.#options.counters.add("models.failed");
    this.#options.observe({ type: "model-rejected", version: failed.manifest.version, reason: "failed" });
    if (this.#demote()) this.restore();
  }

  // Without a disk that can be written to, there is nothing behind the failed version to fall back to.
  #demote(): boolean {
    try {
      this.#options.cache.demote();
      return true;
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error;
      this.#options.counters.add(`models.not-demoted.${error.code}`);
      return false;
    }
  }

  #serve(model: BaseModel): void {
    this.#serving = model;
    this.#options.observe({ type: "serving", version: model.manifest.version });
  }

  #check(blob: HashedBlob, manifest: Manifest): ReturnType<typeof checkModel> {
    const checked = checkModel(blob, manifest, this.#options.place);
    if (!checked.ok || this.#works(checked.model)) return checked;
    return { ok: false, reason: "self-check" };
  }

  /** Tries a version on the device's own recent rows; without any, on one row of zeros. */
  #works({ params, scaler }: BaseModel): boolean {
    const { model, samples, place } = this.#options;
    const { inputs } = place.definition;
    const rows = samples(SAMPLE_ROWS);
    const x = new Float32Array(Math.max(1, rows.length) * inputs);
    const values = new Float32Array(inputs);
    rows.forEach((bytes, row) => {
      new Uint8Array(values.buffer).set(bytes);
      scaleInto(scaler, values, x, row * inputs);
    });
    try {
      model.load(params);
      return isAllFinite(model.predict(x, x.length / inputs));
    } catch {
      return false;
    }
  }
}
