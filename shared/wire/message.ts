// Control messages: msgpack maps, validated here on receipt. docs/protocol.md is their reference.
// Durations are relative (ms), so the two clocks need not agree. Unknown keys are ignored, unknown `v` refused.

import { z } from "zod";
import type { DeviceId, TaskId, UpdateId } from "../id.js";
import { parseDeviceId, parseTaskId, parseUpdateId } from "../id.js";
import { packShortLived, packValue, unpackValue } from "./msgpack.js";
import { reportSchema } from "./report.js";
import type { DownKind, UpKind } from "./topic.js";

/** Most bytes of data in one chunk or block. */
export const CHUNK_BYTES_MAX = 128 * 1024;
/** Most characters of a task's source. */
export const TASK_SOURCE_MAX = 128 * 1024;
/** Most bytes of any payload: the largest data and what is said about it. A longer one is not even decoded. */
export const MESSAGE_BYTES_MAX = 160 * 1024;
/** Most versions that are scored beside an evaluate round's own. */
export const BESIDE_MAX = 15;
/** Most bytes of one update or blob. */
export const BLOB_BYTES_MAX = 256 * 1024 * 1024;

const version = z.literal(1);
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const bytes = count.max(BLOB_BYTES_MAX);
/** A SHA-256 in lower-case hex. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
const sha256 = sha256Schema;
const text = z.string().max(200);
const updateId = z.string().transform((value, context): UpdateId => {
  const id = parseUpdateId(value);
  if (id === undefined) context.addIssue({ code: "custom", message: "not an update id" });
  return id as UpdateId;
});
const taskId = z.string().transform((value, context): TaskId => {
  const id = parseTaskId(value);
  if (id === undefined) context.addIssue({ code: "custom", message: "not a task id" });
  return id as TaskId;
});
const deviceId = z.string().transform((value, context): DeviceId => {
  const id = parseDeviceId(value);
  if (id === undefined) context.addIssue({ code: "custom", message: "not a device id" });
  return id as DeviceId;
});
const data = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.length >= 1 && value.length <= CHUNK_BYTES_MAX,
  "not bytes, none, or too many",
);
const signature = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.length === 64,
  "not an Ed25519 signature",
);

/** What a round asks of a device: statistics for the scaler, a trained update, or a score. */
export const roundKindSchema = z.enum(["fit", "train", "evaluate"]);
export type RoundKind = z.infer<typeof roundKindSchema>;

/**
 * A model version, small and signed by the server. `sha256`, `bytes`: its blob. `signature` covers every
 * other field (signature.ts).
 */
export const manifestSchema = z.object({
  v: version,
  task: taskId,
  /** Strictly increasing. Which one devices serve may go back: see `releaseSchema`. */
  version: count,
  /** Version this one was made from; 0 = none. */
  parent: count,
  /** The candidate of the task that it is a version of; absent when the task has none. Signed where it is there. */
  arm: text.optional(),
  sha256,
  bytes,
  /** ParamSpec fingerprint. */
  fingerprint: sha256,
  /** SHA-256 over pipelineHash, scaler hash and topology hash. */
  modelSignature: sha256,
  createdMs: count,
  /** No device starts to serve it after this time. */
  expiresMs: count,
  signature,
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Most labels of a device, and of a trial. */
export const LABELS_MAX = 16;
/** What a device is, in its owner's words: {site: lab}. */
export const labelsSchema = z
  .record(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), z.string().min(1).max(64))
  .refine((labels) => Object.keys(labels).length <= LABELS_MAX, `more than ${LABELS_MAX} labels`);
export type Labels = z.infer<typeof labelsSchema>;

/** A version that a part of the fleet scores (`shadow`) or serves (`canary`) before the rest does. */
export const trialSchema = z.object({
  manifest: manifestSchema,
  mode: z.enum(["shadow", "canary"]),
  /** A device is in when the first 32 bits of SHA-256 over "<salt>|<device>" are below this: 0 none, 2^32 all ... */
  below: count.max(2 ** 32),
  salt: text,
  /** ... and it has every one of these labels. */
  labels: labelsSchema,
});
export type Trial = z.infer<typeof trialSchema>;

/**
 * What devices serve. Retained, so that a device hears it whenever it comes. `signature` covers the version and
 * SHA-256 of both manifests, which bear their own, and every other field.
 */
export const releaseSchema = z.object({
  v: version,
  task: taskId,
  /** Strictly increasing: an older word is none. Which versions it names may go back. */
  sequence: count,
  stable: manifestSchema,
  trial: trialSchema.nullable(),
  signature,
});
export type Release = z.infer<typeof releaseSchema>;

/** The task as its author wrote it (JSON text), signed by the server. */
export const signedTaskSchema = z.object({
  v: version,
  task: taskId,
  source: z.string().max(TASK_SOURCE_MAX),
  taskHash: sha256,
  signature,
});
export type SignedTask = z.infer<typeof signedTaskSchema>;

/** What a channel may be called: one of the server's own lines, or an alias. */
export const channelName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/);

export const upSchemas = {
  /** "Here I am, this is what I have": on connect, and whenever the server's `wait` is over. */
  hello: z.object({
    v: version,
    /** Hash of the task the device runs, null before it has one. */
    taskHash: sha256.nullable(),
    stable: count.nullable(),
    eligible: z.boolean(),
    /** Why not, when not eligible. */
    reason: text.nullable(),
    examples: z.object({ train: count, validation: count }),
    /** The update waiting in the outbox, if any. */
    pending: updateId.nullable(),
    labels: labelsSchema,
  }),
  /** "Not this round": the server replaces the device at once. */
  decline: z.object({ v: version, round: count, reason: text }),
  /** Announces an upload, or asks how much of it has arrived. Answered by `missing` or `receipt`. */
  begin: z.object({
    v: version,
    updateId,
    round: count,
    kind: roundKindSchema,
    baseVersion: count,
    bytes: bytes.min(1),
    sha256,
    examples: count,
  }),
  chunk: z.object({ v: version, updateId, offset: bytes, data }),
  /** "All sent": answered by `receipt`, or by `missing` when parts have not arrived. */
  commit: z.object({ v: version, updateId, round: count, sha256, signature }),
  /** Pulls a part of a blob. Answered by `block` or `refusal`. */
  get: z.object({ v: version, sha256, offset: bytes, length: count.min(1).max(CHUNK_BYTES_MAX) }),
  /** How the device's model and data are. Only the last one of a device counts, so a lost one costs nothing. */
  report: reportSchema,
  /** Asks which version a channel means now. Answered by `model`. */
  want: z.object({
    v: version,
    /** Comes back in the answer: a new one for every question. */
    id: z.string().regex(/^[0-9a-f]{32}$/),
    channel: channelName,
    /** Only this version or a newer one is wanted. */
    minVersion: count,
    /** What whoever asks can do with. */
    accept: z.object({ bytes, fingerprint: sha256.nullable(), modelSignature: sha256.nullable() }),
  }),
} as const satisfies Record<UpKind, z.ZodType>;

/** Why an update was refused; each is counted and shown. */
export const rejectionReasons = [
  "malformed",
  "wrong-task",
  "wrong-device",
  "wrong-kind",
  "unknown-round",
  "round-closed",
  "not-selected",
  "stale-base-version",
  "wrong-model",
  "wrong-shape",
  "not-finite",
  "no-examples",
  "too-many-examples",
  "norm-too-large",
  "bad-checksum",
  "bad-signature",
  "unknown-device",
  "too-large",
  "conflicting-update",
  "storage-full",
] as const;
export type RejectionReason = (typeof rejectionReasons)[number];

/** Why there is no model for who asked. */
export const noModelReasons = ["unknown-channel", "no-version", "not-newer", "not-accepted"] as const;
export type NoModelReason = (typeof noModelReasons)[number];

export const downSchemas = {
  /** Work. Sent in answer to `hello` or when a round opens; repeated unchanged until settled. */
  offer: z.object({
    v: version,
    round: count,
    kind: roundKindSchema,
    /** The version to train from or to score; null in a `fit` round. */
    manifest: manifestSchema.nullable(),
    /** evaluate: versions to score on the same examples, after `manifest`; absent when there are none. */
    beside: z.array(manifestSchema).max(BESIDE_MAX).optional(),
    /** Event time from which on examples count in this round; null = all. */
    sinceMs: count.nullable(),
    /** Root of the device's random streams for this round. */
    seed: text,
    /** Time left until the round's deadline. */
    remainingMs: count,
    chunkBytes: count.min(1024).max(CHUNK_BYTES_MAX),
  }),
  /** No work now: say hello again after `retryMs`. */
  wait: z.object({ v: version, retryMs: count, reason: text }),
  /** Byte ranges [offset, length] of an upload that have not arrived; at most 256 of them. */
  missing: z.object({
    v: version,
    updateId,
    ranges: z.array(z.tuple([bytes, bytes])).max(256),
  }),
  /** The server's signed word: durable, final, the same for every duplicate. */
  receipt: z.object({
    v: version,
    updateId,
    round: count,
    status: z.enum(["accepted", "rejected"]),
    reason: z.enum(rejectionReasons).nullable(),
    /** True when this word had been given before. Not signed. */
    duplicate: z.boolean(),
    signature,
  }),
  block: z.object({ v: version, sha256, offset: bytes, total: bytes, data }),
  /** A `get` that cannot be served. */
  refusal: z.object({ v: version, sha256, reason: text }),
  /** The answer to `want`: a manifest whose blob can be pulled, or why there is none. */
  model: z.object({
    v: version,
    id: z.string().regex(/^[0-9a-f]{32}$/),
    channel: channelName,
    reason: z.enum(noModelReasons).nullable(),
    manifest: manifestSchema.nullable(),
    signature,
  }),
} as const satisfies Record<DownKind, z.ZodType>;

export type UpMessage<Kind extends UpKind = UpKind> = z.infer<(typeof upSchemas)[Kind]>;
export type DownMessage<Kind extends DownKind = DownKind> = z.infer<(typeof downSchemas)[Kind]>;
export type Receipt = DownMessage<"receipt">;
export type Offer = DownMessage<"offer">;
export { deviceId as deviceIdSchema };

/** A message's bytes; they belong to the caller. */
export function encodeMessage(
  message: UpMessage | DownMessage | Manifest | Release | SignedTask,
): Uint8Array {
  return packValue(message);
}

/** A message's bytes, there until the next message is encoded: for who sends it at once, since every transport copies. */
export function encodeToSend(message: UpMessage | DownMessage): Uint8Array {
  return packShortLived(message);
}

/**
 * The message, or undefined with nothing thrown when `payload` is not one: too long, not our MessagePack, not
 * valid. Byte fields (`data`, `signature`) are views of `payload`: copy what has to outlive it.
 */
export function decodeMessage<Schema extends z.ZodType>(
  schema: Schema,
  payload: Uint8Array,
): z.infer<Schema> | undefined {
  if (payload.length > MESSAGE_BYTES_MAX) return undefined;
  const unpacked = unpackValue(payload);
  if (unpacked === undefined) return undefined;
  const parsed = schema.safeParse(unpacked.value);
  return parsed.success ? parsed.data : undefined;
}
