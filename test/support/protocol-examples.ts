// The worked examples of docs/protocol.md, made by the code they document.

import type { KeyObject } from "node:crypto";
import type { DeviceId, TaskId } from "../../shared/id.js";
import { canonicalJson, sha256Hex } from "../../shared/task/canonical.js";
import { encodeMessage } from "../../shared/wire/message.js";
import { encodeModelBlob } from "../../shared/wire/model-blob.js";
import { packValue } from "../../shared/wire/msgpack.js";
import {
  keysFromSeed,
  signManifest,
  signReceipt,
  signTask,
  signUpdate,
} from "../../shared/wire/signature.js";
import { type UpdateHeader, updateIdOf } from "../../shared/wire/update.js";
import { encodeUpdate } from "../../shared/wire/update-frame.js";

const task = "pumps" as TaskId;
const device = "pump-7" as DeviceId;
const fingerprint = "a".repeat(64);
const modelSignature = "b".repeat(64);
const deviceKeys = keysFromSeed(new Uint8Array(32).fill(1));
const serverKeys = keysFromSeed(new Uint8Array(32).fill(2));

const header: UpdateHeader = {
  task,
  device,
  round: 3,
  kind: "train",
  baseVersion: 2,
  modelSignature,
  examples: 10,
  train: { codec: "float32", count: 2, fingerprint, steps: 5, loss: 0.25 },
  evaluate: null,
  fit: null,
};
const frame = encodeUpdate(header, Float32Array.of(0.5, -1));
const sha256 = sha256Hex(frame);
const updateId = updateIdOf({ task, device, round: 3, sha256 });
const scaler = { offset: [20], factor: [0.1], label: { offset: 0, factor: 1 } };
const blob = encodeModelBlob({ params: Float32Array.of(1, -0.5), scaler, fingerprint, modelSignature });

/** Every example by the name after its fence's language. */
export function protocolExamples(): Readonly<Record<string, string>> {
  return {
    keys: lines(part(rawKey(deviceKeys.publicKey), "device"), part(rawKey(serverKeys.publicKey), "server")),
    "update-frame": describeFrame(frame, header),
    "update-id": `${sha256}\n${updateId}`,
    "update-signature": updateSignature(),
    chunk: describeMap({ v: 1, updateId, offset: frame.length - 12, data: frame.subarray(-12) }),
    "receipt-signature": signedExample("receipt", receiptClaim, receiptSignature),
    receipt: describeReceipt(),
    "model-blob": describeFrame(blob, { fingerprint, modelSignature, codec: "float32", count: 2, scaler }),
    "manifest-signature": manifestSignature(),
    "task-signature": taskSignature(),
  };
}

const receiptClaim = { task, device, updateId, round: 3, status: "accepted", reason: null } as const;
const receiptSignature = signReceipt(serverKeys.privateKey, receiptClaim);

function updateSignature(): string {
  const claim = { task, device, round: 3, updateId, sha256 };
  return signedExample("update", claim, signUpdate(deviceKeys.privateKey, claim));
}

function manifestSignature(): string {
  const claim = {
    v: 1 as const,
    task,
    version: 2,
    parent: 0,
    sha256: sha256Hex(blob),
    bytes: blob.length,
    fingerprint,
    modelSignature,
    createdMs: 1_767_225_600_000,
    expiresMs: 1_769_817_600_000,
  };
  return signedExample("manifest", claim, signManifest(serverKeys.privateKey, claim));
}

function taskSignature(): string {
  const source = '{"task":"pumps"}';
  const taskHash = "0".repeat(64);
  const signature = signTask(serverKeys.privateKey, { v: 1, task, source, taskHash });
  return signedExample("task", { v: 1, task, sourceSha256: sha256Hex(source), taskHash }, signature);
}

function describeReceipt(): string {
  const { round, status, reason } = receiptClaim;
  const signature = receiptSignature;
  const receipt = { v: 1, updateId, round, status, reason, duplicate: false, signature } as const;
  const text = describeMap(receipt);
  sameBytes(text, encodeMessage(receipt));
  return text;
}

function signedExample(what: string, claim: object, signature: Uint8Array): string {
  return `headwater/1/${what}\\0${canonicalJson(claim)}\n${hex(signature)}`;
}

/** A frame's parts, one by one. */
function describeFrame(bytes: Uint8Array, fields: object): string {
  const headerBytes = packValue(fields).length;
  const bodyAt = 13 + headerBytes;
  const text = lines(
    part(bytes.subarray(0, 4), `magic, "${Buffer.from(bytes.subarray(0, 4)).toString("latin1")}"`),
    part(bytes.subarray(4, 5), "version 1"),
    part(bytes.subarray(5, 9), `header: ${headerBytes} bytes`),
    describeMap(fields),
    part(bytes.subarray(9 + headerBytes, bodyAt), `body: ${bytes.length - bodyAt - 4} bytes`),
    part(bytes.subarray(bodyAt, -4), "body"),
    part(bytes.subarray(-4), "CRC-32"),
  );
  sameBytes(text, bytes);
  return text;
}

/** A map, one line or more per entry. */
function describeMap(fields: object): string {
  const entries = Object.entries(fields);
  const text = lines(
    part(Uint8Array.of(0x80 + entries.length), `map of ${entries.length}`),
    ...entries.map(([key, value]) => part(Buffer.concat([packValue(key), packValue(value)]), key)),
  );
  sameBytes(text, packValue(fields));
  return text;
}

/** Lines of at most 32 bytes in hex, the first with a comment. */
function part(bytes: Uint8Array, comment: string): string {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += 32) rows.push(hex(bytes.subarray(at, at + 32)));
  rows[0] = `${(rows[0] ?? "").padEnd(64)}  ; ${comment}`;
  return rows.join("\n");
}

function lines(...parts: readonly string[]): string {
  return parts.join("\n");
}

function sameBytes(text: string, bytes: Uint8Array): void {
  if (bytesOfExample(text) !== hex(bytes))
    throw new Error(`the example is not what the code makes:\n${text}`);
}

/** The hex of an example, without comments and line breaks. */
export function bytesOfExample(text: string): string {
  return text.replaceAll(/;.*$/gm, "").replaceAll(/\s/g, "");
}

function rawKey(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url");
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
