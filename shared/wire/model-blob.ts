// A model version as one blob: params, and everything frozen with them. Blobs are named by their SHA-256,
// so equal models are one blob, and a receiver can tell that it got the right one.

import { z } from "zod";
import { isAllFinite } from "../params/vector.js";
import type { FittedScaler } from "../pipeline/types.js";
import { findCodec } from "./codec/registry.js";
import { decodeFrame, encodeFrame } from "./frame.js";
import { sha256Schema } from "./message.js";

/** What a blob holds. */
export interface ModelContent {
  readonly params: Float32Array;
  readonly scaler: FittedScaler;
  /** Of the params' spec. */
  readonly fingerprint: string;
  readonly modelSignature: string;
}

/** A blob taken apart; the params belong to the caller. Or why it is none. */
export type DecodedModelBlob =
  | ({ readonly ok: true } & ModelContent)
  | { readonly ok: false; readonly reason: "malformed" | "bad-checksum" | "not-finite" };

// In one go: they are as many as the model has inputs, and zod would make an object of each.
const finiteNumbers = z.custom<number[]>((value) => Array.isArray(value) && value.every(Number.isFinite));

// zod's number() refuses NaN and infinities.
const scalerSchema = z.object({
  offset: finiteNumbers,
  factor: finiteNumbers,
  label: z.object({ offset: z.number(), factor: z.number() }),
});

const headerSchema = z.object({
  fingerprint: sha256Schema,
  modelSignature: sha256Schema,
  codec: z.string(),
  /** Floats in the body. */
  count: z.number().int().min(0),
  scaler: scalerSchema.refine(({ offset, factor }) => offset.length === factor.length, "unequal columns"),
});

/** The blob's bytes: the same for the same content. */
export function encodeModelBlob({ params, scaler, fingerprint, modelSignature }: ModelContent): Uint8Array {
  const codec = findCodec("float32")!;
  const { offset, factor, label } = scaler;
  const header: z.infer<typeof headerSchema> = {
    fingerprint,
    modelSignature,
    codec: codec.name,
    count: params.length,
    // Key by key, so that the order in which a scaler was built does not change the blob's name.
    scaler: {
      offset: [...offset],
      factor: [...factor],
      label: { offset: label.offset, factor: label.factor },
    },
  };
  return encodeFrame("model", header, codec.encode(params));
}

/** Takes a blob apart and checks all that can be checked without knowing the model. Never throws. */
export function decodeModelBlob(bytes: Uint8Array): DecodedModelBlob {
  const frame = decodeFrame("model", bytes);
  if (!frame.ok) return frame;
  const parsed = headerSchema.safeParse(frame.header);
  if (!parsed.success) return { ok: false, reason: "malformed" };
  const { codec, count, scaler, fingerprint, modelSignature } = parsed.data;
  const params = findCodec(codec)?.decode(frame.body, count);
  if (params === undefined) return { ok: false, reason: "malformed" };
  if (!isAllFinite(params)) return { ok: false, reason: "not-finite" };
  return { ok: true, params, scaler, fingerprint, modelSignature };
}
