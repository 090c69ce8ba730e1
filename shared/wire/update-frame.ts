// An update as one frame: its header, and for `train` the delta as the body.

import { assert } from "../assert.js";
import { isAllFinite } from "../params/vector.js";
import { findCodec } from "./codec/registry.js";
import { decodeFrame, encodeFrame } from "./frame.js";
import type { RejectionReason } from "./message.js";
import type { Scratch } from "./scratch.js";
import { type UpdateHeader, updateHeaderSchema } from "./update.js";

/** An update taken apart, or why it is refused. `delta` is there for `train` only. */
export type DecodedUpdate =
  | { readonly ok: true; readonly header: UpdateHeader; readonly delta: Float32Array | undefined }
  | { readonly ok: false; readonly reason: RejectionReason };

/** The update's bytes. `delta` goes with `train`, written by the codec the header names. */
export function encodeUpdate(header: UpdateHeader, delta: Float32Array | undefined): Uint8Array {
  assert((header.train !== null) === (delta !== undefined), "a delta goes with a train header");
  if (header.train === null || delta === undefined) return encodeFrame("update", header, new Uint8Array());
  const codec = findCodec(header.train.codec);
  assert(codec !== undefined, `no codec is called ${header.train.codec}`);
  assert(header.train.count === delta.length, "the header counts the floats of its delta");
  return encodeFrame("update", header, codec.encode(delta));
}

/**
 * Takes an update apart and checks all that can be checked without knowing the round: form, checksum, that
 * exactly the part of its kind is there, that body and count agree, that every number is finite. Never throws.
 */
export function decodeUpdate(bytes: Uint8Array): DecodedUpdate {
  const update = unpackUpdate(bytes);
  const isSound = !update.ok || update.delta === undefined || isAllFinite(update.delta);
  return isSound ? update : { ok: false, reason: "not-finite" };
}

/**
 * As `decodeUpdate`, but the numbers of the delta are not looked at: for who goes over them anyway, or has before.
 * The delta is the caller's own, or lies in `scratch`.
 */
export function unpackUpdate(bytes: Uint8Array, scratch?: Scratch): DecodedUpdate {
  const frame = decodeFrame("update", bytes);
  if (!frame.ok) return frame;
  // Before the schema, which would call a diverged device's NaN malformed.
  if (!hasOnlyFiniteNumbers(frame.header)) return { ok: false, reason: "not-finite" };
  const parsed = updateHeaderSchema.safeParse(frame.header);
  if (!parsed.success) return { ok: false, reason: "malformed" };
  const header = parsed.data;
  const hasItsPart = (["train", "evaluate", "fit"] as const).every(
    (kind) => (header[kind] !== null) === (header.kind === kind),
  );
  if (!hasItsPart) return { ok: false, reason: "malformed" };
  return decodeBody(header, frame.body, scratch);
}

function decodeBody(header: UpdateHeader, body: Uint8Array, scratch: Scratch | undefined): DecodedUpdate {
  if (header.train === null) {
    return body.length === 0 ? { ok: true, header, delta: undefined } : { ok: false, reason: "malformed" };
  }
  const delta = findCodec(header.train.codec)?.decode(body, header.train.count, scratch);
  return delta === undefined ? { ok: false, reason: "malformed" } : { ok: true, header, delta };
}

/** True when no number in a decoded header, at any depth, is NaN or infinite. */
function hasOnlyFiniteNumbers(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return true;
  return Object.values(value).every(hasOnlyFiniteNumbers);
}
