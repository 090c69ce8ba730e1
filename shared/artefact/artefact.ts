// A model version as it leaves its federation: everything needed to run it, and to tell where it comes from.

import type { KeyObject } from "node:crypto";
import { HeadwaterError } from "../error.js";
import type { Lineage } from "../lineage/record.js";
import { defineModel, modelSignature } from "../model/define.js";
import type { ModelDefinition } from "../model/definition.js";
import type { ParamSpec } from "../params/spec.js";
import { planPipeline } from "../pipeline/plan.js";
import { scalerHash } from "../pipeline/scaler.js";
import type { FittedScaler } from "../pipeline/types.js";
import { sha256Hex } from "../task/canonical.js";
import { learnerOf } from "../task/learner.js";
import type { LoadedTask } from "../task/parse.js";
import type { Manifest } from "../wire/message.js";
import { encodeModelBlob } from "../wire/model-blob.js";
import { verifyManifest } from "../wire/signature.js";

/** A version with its task. Nobody writes to `params`. */
export interface Artefact {
  readonly loaded: LoadedTask;
  readonly manifest: Manifest;
  /** Of the server that signed the manifest. */
  readonly publicKey: KeyObject;
  readonly params: Float32Array;
  readonly scaler: FittedScaler;
  /** The version's and its ancestors', newest first; empty where they are not known. */
  readonly lineage: readonly Lineage[];
}

/** The model of a version of `arm`, and the names of its inputs. Throws `data-invalid` when its task has no such candidate. */
export function describeModel(
  { task }: LoadedTask,
  arm: string | undefined,
): {
  readonly definition: ModelDefinition;
  readonly columns: readonly string[];
} {
  const { columns } = planPipeline(task);
  const learner = learnerOf(task, arm);
  if (learner === undefined)
    throw new HeadwaterError(
      "data-invalid",
      `the model does not fit its task: no candidate is called ${arm}`,
    );
  return { definition: defineModel(learner.model, columns.length), columns };
}

/**
 * Checks that the parts belong together and are what the server has signed. Throws `data-invalid`, naming what does
 * not fit, or `signature-invalid`.
 */
export function checkArtefact(
  { loaded, manifest, publicKey, params, scaler }: Artefact,
  spec: ParamSpec,
): void {
  const { definition, columns } = describeModel(loaded, manifest.arm);
  const { fingerprint } = spec;
  expect("params", params.length, spec.count);
  expect("columns of the scaler", scaler.offset.length, columns.length);
  expect("task", manifest.task, loaded.task.task);
  expect("fingerprint of the params", manifest.fingerprint, fingerprint);
  const signature = modelSignature({
    pipelineHash: loaded.pipelineHash,
    topologyHash: definition.topologyHash,
    scalerHash: scalerHash(scaler),
  });
  expect("model signature", manifest.modelSignature, signature);
  const blob = encodeModelBlob({ params, scaler, fingerprint, modelSignature: signature });
  expect("hash of params and scaler", sha256Hex(blob), manifest.sha256);
  if (verifyManifest(publicKey, manifest, manifest.signature)) return;
  const message = `version ${manifest.version} of ${manifest.task} is not signed by the key it names`;
  throw new HeadwaterError("signature-invalid", message);
}

function expect(what: string, found: string | number, wanted: string | number): void {
  if (found === wanted) return;
  throw new HeadwaterError(
    "data-invalid",
    `the model does not fit its task: ${what} ${found}, not ${wanted}`,
  );
}
