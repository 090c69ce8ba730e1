// Model versions as the rest of the server sees them: read, verified, and the newest kept at hand.

import { assert } from "../../shared/assert.js";
import type { FittedScaler } from "../../shared/pipeline/types.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import type { Manifest } from "../../shared/wire/message.js";
import { decodeModelBlob } from "../../shared/wire/model-blob.js";
import type { VersionStore } from "./version-store.js";

/** A version with its content. `params` are shared: nobody writes to them. */
export interface ModelVersion {
  readonly manifest: Manifest;
  readonly params: Float32Array;
  readonly scaler: FittedScaler;
}

/** Reads versions. */
export class ModelRegistry {
  readonly #versions: VersionStore;
  // A round asks for its base again and again; older versions are seldom wanted.
  #last: ModelVersion | undefined;

  constructor(versions: VersionStore) {
    this.#versions = versions;
  }

  manifest(version: number): Manifest | undefined {
    return this.#versions.manifest(version);
  }

  /** The version, or undefined when there is none of that number (any more). */
  async model(version: number): Promise<ModelVersion | undefined> {
    if (this.#last?.manifest.version === version) return this.#last;
    const manifest = this.#versions.manifest(version);
    if (manifest === undefined) return undefined;
    const blob = this.#versions.readBlob(manifest.sha256, 0, manifest.bytes);
    assert(
      blob !== undefined && sha256Hex(blob) === manifest.sha256,
      `blob of version ${version} is damaged`,
    );
    const content = decodeModelBlob(blob);
    assert(content.ok, `blob of version ${version} is none`);
    this.#last = { manifest, params: content.params, scaler: content.scaler };
    return this.#last;
  }
}
