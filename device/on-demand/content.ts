// Do a blob, its manifest and a task belong together? Found out without an engine to run it.

import { defineModel, modelSignature } from "../../shared/model/define.js";
import { planPipeline } from "../../shared/pipeline/plan.js";
import { scalerHash } from "../../shared/pipeline/scaler.js";
import type { LoadedTask } from "../../shared/task/parse.js";
import type { Manifest } from "../../shared/wire/message.js";
import { decodeModelBlob } from "../../shared/wire/model-blob.js";
import { hashBlob } from "../model/hashed-blob.js";

/** Why they do not, undefined when they do. Signatures are looked at by whoever knows the key. */
export function contentFault(parts: {
  readonly loaded: LoadedTask;
  readonly manifest: Manifest;
  readonly blob: Uint8Array;
}): string | undefined {
  const { loaded, manifest, blob } = parts;
  const { task, pipelineHash } = loaded;
  if (manifest.task !== task.task) return "other-task";
  if (blob.length !== manifest.bytes || hashBlob(blob).sha256 !== manifest.sha256) return "wrong-hash";
  const content = decodeModelBlob(blob);
  if (!content.ok) return content.reason;
  const { topologyHash } = defineModel(task.model, planPipeline(task).columns.length);
  const expected = modelSignature({ pipelineHash, scalerHash: scalerHash(content.scaler), topologyHash });
  if (expected !== manifest.modelSignature) return "wrong-task";
  return content.fingerprint === manifest.fingerprint ? undefined : "contradicts-manifest";
}
