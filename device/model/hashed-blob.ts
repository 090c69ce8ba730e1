// A blob together with its hash: some megabytes are hashed once, by whoever first has all of them.

import { sha256Hex } from "../../shared/task/canonical.js";

/** Bytes, and the SHA-256 that was computed over them. Nobody writes to them. */
export interface HashedBlob {
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** Computes the hash. */
export function hashBlob(bytes: Uint8Array): HashedBlob {
  return { bytes, sha256: sha256Hex(bytes) };
}
