// One valid message of every kind.

import type { z } from "zod";
import type { TaskId, UpdateId } from "../../shared/id.js";
import {
  type DownMessage,
  downSchemas,
  type Manifest,
  manifestSchema,
  type Release,
  releaseSchema,
  type SignedTask,
  signedTaskSchema,
  type UpMessage,
  upSchemas,
} from "../../shared/wire/message.js";

const v = 1 as const;
const sha256 = "0123456789abcdef".repeat(4);
const signature = Uint8Array.from({ length: 64 }, (_, i) => i);
const updateId = "0123456789abcdef0123456789abcdef" as UpdateId;
const task = "pumps" as TaskId;

const manifest: Manifest = {
  v,
  task,
  version: 4,
  parent: 3,
  sha256,
  bytes: 1000,
  fingerprint: sha256,
  modelSignature: sha256,
  createdMs: 1_700_000_000_000,
  expiresMs: 1_800_000_000_000,
  signature,
};

const release: Release = {
  v,
  task,
  sequence: 1_700_000_000_000,
  stable: manifest,
  trial: {
    manifest: { ...manifest, version: 5, parent: 4 },
    ...{ mode: "canary", below: 429_496_730, salt: "0123456789abcdef", labels: { site: "lab" } },
  },
  signature,
};

const sums = { rows: 100, squaredError: 12.5, absoluteError: 30, loss: 12.5, correct: 0 };
const side = { version: 4, rows: 120, invalid: 1, totalUs: 48_000, labelled: sums };

const up: { readonly [Kind in keyof typeof upSchemas]: UpMessage<Kind> } = {
  hello: {
    v,
    taskHash: null,
    stable: 3,
    eligible: false,
    reason: "too few examples",
    examples: { train: 10, validation: 2 },
    pending: updateId,
    labels: { site: "lab" },
  },
  decline: { v, round: 3, reason: "on battery" },
  begin: {
    v,
    updateId,
    round: 3,
    kind: "train",
    baseVersion: 4,
    bytes: 70_000,
    sha256,
    examples: 10,
  },
  chunk: { v, updateId, offset: 32_768, data: Uint8Array.of(1, 2, 3) },
  commit: { v, updateId, round: 3, sha256, signature },
  get: { v, sha256, offset: 0, length: 32_768 },
  report: {
    v,
    ...{ sequence: 1_700_000_000_000, ageMs: 60_000, serving: side, beside: { ...side, version: 3 } },
    paired: { rows: 100, sum: 0.5, squares: 2.5 },
    window: sums,
    failed: [2],
    data: { tested: 3, drifting: 1, columns: [{ column: "temp", effect: 0.4, drifts: true }] },
    concept: { status: "ok", detections: 0 },
    drift: { isDrifting: true, sinceMs: 1_700_000_000_000 },
    quality: { missing: 0.01, refused: 0 },
    resources: { rssBytes: 120_000_000, cpu: 0.2, unlabelled: 24, examples: 1000 },
  },
  want: {
    v,
    ...{ id: updateId, channel: "stable", minVersion: 4 },
    accept: { bytes: 1_000_000, fingerprint: null, modelSignature: sha256 },
  },
};

const down: { readonly [Kind in keyof typeof downSchemas]: DownMessage<Kind> } = {
  offer: {
    v,
    round: 3,
    kind: "train",
    manifest,
    sinceMs: null,
    seed: "s",
    remainingMs: 60_000,
    chunkBytes: 32_768,
  },
  wait: { v, retryMs: 30_000, reason: "no round is open" },
  missing: {
    v,
    updateId,
    ranges: [
      [0, 32_768],
      [65_536, 4464],
    ],
  },
  receipt: {
    v,
    updateId,
    round: 3,
    status: "rejected",
    reason: "not-finite",
    duplicate: false,
    signature,
  },
  block: { v, sha256, offset: 0, total: 3, data: Uint8Array.of(1, 2, 3) },
  refusal: { v, sha256, reason: "unknown blob" },
  model: { v, id: updateId, channel: "stable", reason: null, manifest, signature },
};

const signedTask: SignedTask = { v, task, source: '{"task":"pumps"}', taskHash: sha256, signature };

/** A kind's name, its schema, and a message that fits it. */
export interface SampleMessage {
  readonly kind: string;
  readonly schema: z.ZodType;
  readonly message: UpMessage | DownMessage | Manifest | Release | SignedTask;
}

export const sampleMessages: readonly SampleMessage[] = [
  ...Object.entries(up).map(([kind, message]) => ({
    kind,
    schema: upSchemas[kind as keyof typeof upSchemas],
    message,
  })),
  ...Object.entries(down).map(([kind, message]) => ({
    kind,
    schema: downSchemas[kind as keyof typeof downSchemas],
    message,
  })),
  { kind: "manifest", schema: manifestSchema, message: manifest },
  { kind: "release", schema: releaseSchema, message: release },
  { kind: "signed task", schema: signedTaskSchema, message: signedTask },
];
