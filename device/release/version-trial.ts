// Tries a version before it is taken up: is it what its manifest says, does it fit, does it work on this device's rows?

import { messageOf } from "../../shared/error.js";
import type { Model } from "../../shared/model/runtime.js";
import { isAllFinite } from "../../shared/params/vector.js";
import { scaleInto } from "../../shared/pipeline/scaler.js";
import type { Manifest } from "../../shared/wire/message.js";
import { type BaseModel, checkModel, type ModelPlace } from "../model/check.js";
import type { HashedBlob } from "../model/hashed-blob.js";

/** Rows of the device's own on which a new version must give finite outputs. */
const SAMPLE_ROWS = 32;

/** What a trial stands on. */
export interface VersionTrialOptions {
  readonly place: ModelPlace;
  readonly model: Model;
  /** Bytes of recent unscaled feature rows, at most so many. */
  readonly samples: (limit: number) => readonly Uint8Array[];
  /** True when the server has signed the manifest. */
  readonly isSigned: (manifest: Manifest) => boolean;
}

/**
 * A version that works, or why it is not taken up. `isFailure`: it is the right one, and does not work here; `detail`: what the
 * engine said.
 */
export type Trialled =
  | { readonly ok: true; readonly model: BaseModel }
  | { readonly ok: false; readonly reason: string; readonly isFailure: boolean; readonly detail?: string };

/** Tries versions for one task. */
export class VersionTrial {
  readonly #options: VersionTrialOptions;

  constructor(options: VersionTrialOptions) {
    this.#options = options;
  }

  /** Of a blob that has just come; its manifest has been verified. */
  try(blob: HashedBlob, manifest: Manifest): Trialled {
    const checked = checkModel(blob, manifest, this.#options.place);
    if (!checked.ok) return { ...checked, isFailure: false };
    const detail = this.#complaint(checked.model);
    return detail === undefined ? checked : { ok: false, reason: "self-check", isFailure: true, detail };
  }

  /** Of a blob from disk: nothing that is not signed is believed, wherever it lies. */
  tryKept(blob: HashedBlob, manifest: Manifest): Trialled {
    if (this.#options.isSigned(manifest)) return this.try(blob, manifest);
    return { ok: false, reason: "bad-signature", isFailure: false };
  }

  /** What is wrong on the device's own recent rows; without any, on one row of zeros. Undefined: nothing. */
  #complaint({ params, scaler }: BaseModel): string | undefined {
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
      return isAllFinite(model.predict(x, x.length / inputs)) ? undefined : "no finite numbers";
    } catch (error) {
      return messageOf(error);
    }
  }
}
