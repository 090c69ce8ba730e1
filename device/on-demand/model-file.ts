// A version on disk as one file: whole or not at all, and all that is needed to run it without a server.

import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import { writeDurably } from "../../shared/storage/durable-file.js";
import { BLOB_BYTES_MAX, channelName, manifestSchema, signedTaskSchema } from "../../shared/wire/message.js";
import { packValue, unpackValue } from "../../shared/wire/msgpack.js";
import { publicKeyFromRaw, verifyManifest } from "../../shared/wire/signature.js";
import { verifySignedTask } from "../task-record.js";
import { contentFault } from "./content.js";
import type { OnDemandModel } from "./fetch-model.js";

/** What names of such files end in. */
export const MODEL_FILE_ENDING = ".hwmodel";
/** Of what stands beside the blob. */
const OVERHEAD_BYTES = 256 * 1024;

const bytes = (count?: number) =>
  z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length === (count ?? value.length),
    "not bytes, or not so many",
  );

const schema = z.object({
  format: z.literal("headwater-model"),
  v: z.literal(1),
  /** Of the server that has signed it, raw. */
  serverKey: bytes(32),
  channel: channelName,
  task: signedTaskSchema,
  manifest: manifestSchema,
  blob: bytes(),
});

/** Writes it so that it survives a power cut, in the place of an older one. Throws `storage-failed`. */
export function writeModelFile(path: string, model: OnDemandModel, serverKey: Uint8Array): void {
  const { channel, signedTask: task, manifest, blob } = model;
  const content: z.infer<typeof schema> = {
    ...{ format: "headwater-model", v: 1, serverKey, channel },
    ...{ task, manifest, blob },
  };
  writeDurably(path, packValue(content), { mode: 0o644 });
}

/** Reads it, and verifies all that it says of itself. Throws `data-missing` or `data-invalid`. */
export function readModelFile(path: string): OnDemandModel & { readonly serverKey: Uint8Array } {
  const parsed = schema.safeParse(unpackValue(readBytes(path))?.value);
  if (!parsed.success) throw invalid(path, "it is no model file");
  const { serverKey, channel, task: signedTask, manifest, blob } = parsed.data;
  const key = publicKeyFromRaw(serverKey);
  if (!verifyManifest(key, manifest, manifest.signature)) throw invalid(path, "bad-signature");
  const verified = verifySignedTask(signedTask, { task: manifest.task, serverKey: key });
  if (!verified.ok) throw invalid(path, `its task: ${verified.reason}`);
  const { loaded } = verified;
  const fault = contentFault({ loaded, manifest, blob });
  if (fault !== undefined) throw invalid(path, fault);
  return { channel, signedTask, loaded, manifest, blob, serverKey };
}

function readBytes(path: string): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > BLOB_BYTES_MAX + OVERHEAD_BYTES) throw new Error(`it has ${size} bytes`);
    return readFileSync(path);
  } catch (cause) {
    throw new HeadwaterError("data-missing", `cannot read the model ${path}: ${messageOf(cause)}`, { cause });
  }
}

function invalid(path: string, why: string): HeadwaterError {
  return new HeadwaterError("data-invalid", `${path} is refused: ${why}`);
}
