// A version as the server gives it out: its content as one blob, and the manifest that is signed over it.

import { sha256Hex } from "../../shared/task/canonical.js";
import type { Manifest } from "../../shared/wire/message.js";
import { encodeModelBlob, type ModelContent } from "../../shared/wire/model-blob.js";
import { type KeyPair, signManifest } from "../../shared/wire/signature.js";

/** A device that has been away for longer than this starts to serve nothing old. */
const LIFETIME_MS = 365 * 86_400_000;

/** What a version is called, and where it comes from. */
export interface VersionName extends Pick<Manifest, "task" | "version" | "parent" | "createdMs"> {
  /** Of a task with candidates: whose params they are. */
  readonly arm: string | undefined;
}

/** Packs and signs. */
export function sealVersion(
  { privateKey }: Pick<KeyPair, "privateKey">,
  { task, version, parent, arm, createdMs }: VersionName,
  content: ModelContent,
): { readonly manifest: Manifest; readonly blob: Uint8Array } {
  const { fingerprint, modelSignature } = content;
  const blob = encodeModelBlob(content);
  const claim = {
    ...{ v: 1 as const, task, version, parent, fingerprint, modelSignature },
    ...(arm !== undefined && { arm }),
    ...{ sha256: sha256Hex(blob), bytes: blob.length, createdMs, expiresMs: createdMs + LIFETIME_MS },
  };
  return { blob, manifest: { ...claim, signature: signManifest(privateKey, claim) } };
}
