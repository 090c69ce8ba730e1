// Artefacts made by hand: any task, first params, signed.

import type { Artefact } from "../../shared/artefact/artefact.js";
import { describeModel } from "../../shared/artefact/artefact.js";
import { modelSignature } from "../../shared/model/define.js";
import type { ModelRuntime } from "../../shared/model/runtime.js";
import type { ParamSpec } from "../../shared/params/spec.js";
import { scalerHash } from "../../shared/pipeline/scaler.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import { parseTask } from "../../shared/task/parse.js";
import { encodeModelBlob } from "../../shared/wire/model-blob.js";
import { keysFromSeed, signManifest } from "../../shared/wire/signature.js";

/** Who signs. */
export const artefactKeys = keysFromSeed(new Uint8Array(32).fill(5));

/** Version 3 of a task of three columns, its params drawn from a seed; `modelYaml` is its model, `factor` its scaler's. */
export async function makeArtefact(
  runtime: ModelRuntime,
  modelYaml = "{ dense: [4] }",
  factor: readonly number[] = [0.5, 2, 1],
): Promise<{ readonly artefact: Artefact; readonly spec: ParamSpec }> {
  const loaded = parseTask(`task: handmade
entity: "{topic.1}"
sources: { air: { mqtt: air/+, time: { field: ts, unit: ms }, late: { disorder: 0s } } }
features: { from: air, list: [{ copy: [x, y] }, { lag: { of: x, rows: [1] } }] }
label: { field: ${modelYaml.includes("classification") ? "c" : "y"} }
model: ${modelYaml}
`);
  const { definition } = describeModel(loaded, undefined);
  const model = await runtime.model(definition);
  const { spec } = model;
  const params = await model.initialParams("handmade");
  const scaler = { offset: [1, -2, 0.5], factor, label: { offset: 10, factor: 0.25 } };
  const { fingerprint } = spec;
  const hashes = { pipelineHash: loaded.pipelineHash, topologyHash: definition.topologyHash };
  const signature = modelSignature({ ...hashes, scalerHash: scalerHash(scaler) });
  const blob = encodeModelBlob({ params, scaler, fingerprint, modelSignature: signature });
  const claim = {
    ...{
      v: 1 as const,
      task: loaded.task.task,
      version: 3,
      parent: 2,
      fingerprint,
      modelSignature: signature,
    },
    ...{
      sha256: sha256Hex(blob),
      bytes: blob.length,
      createdMs: Date.UTC(2026, 2, 1),
      expiresMs: Date.UTC(2027, 2, 1),
    },
  };
  const manifest = { ...claim, signature: signManifest(artefactKeys.privateKey, claim) };
  const { publicKey } = artefactKeys;
  return { artefact: { loaded, manifest, publicKey, params, scaler, lineage: [] }, spec };
}
