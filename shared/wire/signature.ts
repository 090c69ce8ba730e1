// Ed25519 (RFC 8032) over a domain-separated text, so that a signature made for one purpose is worth nothing
// for another. What is signed, byte for byte: the domain, one zero byte, then the RFC 8785 JSON of the fields.

import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { assert } from "../assert.js";
import type { DeviceId, TaskId, UpdateId } from "../id.js";
import { canonicalJson, sha256Hex } from "../task/canonical.js";
import type { DownMessage, Manifest, RejectionReason, Release, SignedTask } from "./message.js";
import { PROTOCOL } from "./topic.js";

/** An Ed25519 key and its public half. */
export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** What a device signs when it commits an update. `sha256` is that of the whole frame. */
export interface UpdateClaim {
  readonly task: TaskId;
  readonly device: DeviceId;
  readonly round: number;
  readonly updateId: UpdateId;
  readonly sha256: string;
}

/** What the server signs in a receipt. */
export interface ReceiptClaim {
  readonly task: TaskId;
  readonly device: DeviceId;
  readonly updateId: UpdateId;
  readonly round: number;
  readonly status: "accepted" | "rejected";
  readonly reason: RejectionReason | null;
}

/** What the server signs in a manifest: every field but the signature. */
export type ManifestClaim = Omit<Manifest, "signature">;

/** What the server signs in a task: every field but the signature, with `source` replaced by its SHA-256. */
export type TaskClaim = Omit<SignedTask, "signature">;

/** What the server signs in a release: every field but the signature, with each manifest replaced by what it names. */
export type ReleaseClaim = Omit<Release, "signature">;
/** What the server signs of a lineage record (shared/lineage/record.ts): its name. */
export interface RecordClaim {
  readonly kind: RecordKind;
  readonly task: string;
  readonly version: number;
  readonly sha256: string;
}

/** How a version was made, or what was made of it. */
export type RecordKind = "run" | "verdict";

/**
 * What the server signs in an answer to `want`: the fields of `model`, with the manifest replaced by what it names, and whose
 * question it was. So an answer is worth nothing to another device, nor for another question.
 */
export type AnswerClaim = Omit<DownMessage<"model">, "signature"> & {
  readonly task: TaskId;
  readonly device: DeviceId;
};

/** A new key pair from the machine's entropy. */
export function generateKeys(): KeyPair {
  // Not generateKeyPairSync: its job, when collected as garbage while one of its keys is exported as a JWK, waits for a lock
  // that the export holds, and the process hangs for ever (Node 20; enrolling a large fleet is enough).
  return keysFromSeed(randomBytes(SEED_BYTES));
}

const SEED_BYTES = 32;

/** The key pair of a 32-byte RFC 8032 seed: same seed, same keys. */
export function keysFromSeed(seed: Uint8Array): KeyPair {
  assert(seed.length === SEED_BYTES, `an Ed25519 seed has ${SEED_BYTES} bytes, not ${seed.length}`);
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed]),
    format: "der",
    type: "pkcs8",
  });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** The public key behind its 32 bytes (RFC 8032, section 5.1.5). */
export function publicKeyFromRaw(raw: Uint8Array): KeyObject {
  assert(raw.length === 32, `an Ed25519 public key has 32 bytes, not ${raw.length}`);
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: "der", type: "spki" });
}

/** The 32 bytes of a public key. */
export function rawPublicKey(key: KeyObject): Uint8Array {
  const { x } = key.export({ format: "jwk" });
  assert(key.asymmetricKeyType === "ed25519" && x !== undefined, "devices and servers sign with Ed25519");
  return new Uint8Array(Buffer.from(x, "base64url"));
}

// RFC 8410, section 4: everything before the key in its SubjectPublicKeyInfo form.
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

// RFC 8410, section 7: everything before the seed in the PKCS #8 form of an Ed25519 private key.
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** Signs an update, as carried by `commit`. */
export function signUpdate(privateKey: KeyObject, claim: UpdateClaim): Uint8Array {
  return signClaim(privateKey, updateText(claim));
}

/** True when `signature` is that of the device with `publicKey` over exactly these fields. */
export function verifyUpdate(publicKey: KeyObject, claim: UpdateClaim, signature: Uint8Array): boolean {
  return verifyClaim(publicKey, updateText(claim), signature);
}

/** Signs a receipt. `duplicate` is not signed: the word given twice is the same word. */
export function signReceipt(privateKey: KeyObject, claim: ReceiptClaim): Uint8Array {
  return signClaim(privateKey, receiptText(claim));
}

/** True when `signature` is that of the server with `publicKey` over exactly these fields. */
export function verifyReceipt(publicKey: KeyObject, claim: ReceiptClaim, signature: Uint8Array): boolean {
  return verifyClaim(publicKey, receiptText(claim), signature);
}

/** Signs a manifest, as carried by its `signature`. */
export function signManifest(privateKey: KeyObject, claim: ManifestClaim): Uint8Array {
  return signClaim(privateKey, manifestText(claim));
}

/** True when `signature` is that of the server with `publicKey` over exactly these fields. */
export function verifyManifest(publicKey: KeyObject, claim: ManifestClaim, signature: Uint8Array): boolean {
  return verifyClaim(publicKey, manifestText(claim), signature);
}

/** Signs a task, as carried by its `signature`. */
export function signTask(privateKey: KeyObject, claim: TaskClaim): Uint8Array {
  return signClaim(privateKey, taskText(claim));
}

/** True when `signature` is that of the server with `publicKey` over exactly these fields. */
export function verifyTask(publicKey: KeyObject, claim: TaskClaim, signature: Uint8Array): boolean {
  return verifyClaim(publicKey, taskText(claim), signature);
}

/** Signs a release, as carried by its `signature`. */
export function signRelease(privateKey: KeyObject, claim: ReleaseClaim): Uint8Array {
  return signClaim(privateKey, releaseText(claim));
}

/** True when `signature` is that of the server with `publicKey` over exactly these fields. */
export function verifyRelease(publicKey: KeyObject, claim: ReleaseClaim, signature: Uint8Array): boolean {
  return verifyClaim(publicKey, releaseText(claim), signature);
}

/** Signs a lineage record. */
export function signRecord(privateKey: KeyObject, claim: RecordClaim): Uint8Array {
  return signClaim(privateKey, recordText(claim));
}

/** True when `signature` is that of the server with `publicKey` over exactly these fields. */
export function verifyRecord(publicKey: KeyObject, claim: RecordClaim, signature: Uint8Array): boolean {
  return verifyClaim(publicKey, recordText(claim), signature);
}

/** Signs an answer, as carried by `model`. */
export function signAnswer(privateKey: KeyObject, claim: AnswerClaim): Uint8Array {
  return signClaim(privateKey, answerText(claim));
}

/** True when `signature` is that of the server with `publicKey` over exactly these fields. */
export function verifyAnswer(publicKey: KeyObject, claim: AnswerClaim, signature: Uint8Array): boolean {
  return verifyClaim(publicKey, answerText(claim), signature);
}

// Fields are picked one by one: whatever else an object carries is neither signed nor verified.

function updateText({ task, device, round, updateId, sha256 }: UpdateClaim): Buffer {
  return signedBytes("update", { task, device, round, updateId, sha256 });
}

function receiptText({ task, device, updateId, round, status, reason }: ReceiptClaim): Buffer {
  return signedBytes("receipt", { task, device, updateId, round, status, reason });
}

function manifestText(manifest: ManifestClaim): Buffer {
  const { v, task, version, parent, arm, sha256, bytes } = manifest;
  const { fingerprint, modelSignature, createdMs, expiresMs } = manifest;
  return signedBytes("manifest", {
    v,
    task,
    version,
    parent,
    // What is not there is not in the text: versions of a task without candidates are signed as ever.
    arm,
    sha256,
    bytes,
    fingerprint,
    modelSignature,
    createdMs,
    expiresMs,
  });
}

// The source goes in as its hash: then no signed field needs JSON escapes, and a small device can write the
// text with one format string.
function taskText({ v, task, source, taskHash }: TaskClaim): Buffer {
  return signedBytes("task", { v, task, sourceSha256: sha256Hex(source), taskHash });
}

function answerText({ v, task, device, id, channel, reason, manifest }: AnswerClaim): Buffer {
  return signedBytes("model", {
    v,
    task,
    device,
    id,
    channel,
    reason,
    manifest: manifest && named(manifest),
  });
}

function named({ version, sha256 }: Manifest) {
  return { version, sha256 };
}

function releaseText({ v, task, sequence, stable, trial }: ReleaseClaim): Buffer {
  return signedBytes("release", {
    v,
    task,
    sequence,
    stable: named(stable),
    trial: trial && {
      ...named(trial.manifest),
      mode: trial.mode,
      below: trial.below,
      salt: trial.salt,
      labels: trial.labels,
    },
  });
}

function recordText({ kind, task, version, sha256 }: RecordClaim): Buffer {
  return signedBytes(kind, { task, version, sha256 });
}

/** The bytes that are signed: "headwater/1/<what>", a zero byte, the canonical JSON of `fields`. */
function signedBytes(
  what: "update" | "receipt" | "manifest" | "release" | "task" | "model" | RecordKind,
  fields: object,
): Buffer {
  return Buffer.from(`headwater/${PROTOCOL}/${what}\0${canonicalJson(fields)}`, "utf8");
}

function signClaim(privateKey: KeyObject, text: Buffer): Uint8Array {
  return new Uint8Array(sign(null, text, privateKey));
}

function verifyClaim(publicKey: KeyObject, text: Buffer, signature: Uint8Array): boolean {
  return signature.length === 64 && verify(null, text, publicKey, signature);
}
