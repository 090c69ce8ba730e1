// Is this blob the model its manifest speaks of, and does it fit the task this device runs? Checked before the
// first use, whoever sent it.

import { modelSignature } from "../../shared/model/define.js";
import type { ModelDefinition } from "../../shared/model/definition.js";
import type { ParamSpec } from "../../shared/params/spec.js";
import { scalerHash } from "../../shared/pipeline/scaler.js";
import type { FittedScaler } from "../../shared/pipeline/types.js";
import type { TrainSpec } from "../../shared/task/task.js";
import type { Manifest } from "../../shared/wire/message.js";
import { decodeModelBlob } from "../../shared/wire/model-blob.js";
import type { HashedBlob } from "./hashed-blob.js";

/** What a model must fit. */
export interface ModelPlace {
  readonly definition: ModelDefinition;
  readonly spec: ParamSpec;
  readonly pipelineHash: string;
  /** Of a task with candidates: by the name of the arm, and nothing else fits. */
  readonly arms?: ReadonlyMap<string, ArmPlace>;
}

/** What a model of one arm must fit. */
export interface ArmPlace extends Omit<ModelPlace, "arms"> {
  readonly plan: TrainSpec;
  /** Hears of params that fit. */
  readonly claim: (params: Float32Array) => void;
}

/** A model version that has been checked. */
export interface BaseModel {
  readonly manifest: Manifest;
  readonly params: Float32Array;
  readonly scaler: FittedScaler;
}

/** A checked model, or why it is none. */
export type CheckedModel =
  | { readonly ok: true; readonly model: BaseModel }
  | { readonly ok: false; readonly reason: string };

/** Checks a blob against its manifest, whose own signature has been verified, and against the task. */
export function checkModel(blob: HashedBlob, manifest: Manifest, place: ModelPlace): CheckedModel {
  const { arm } = manifest;
  if (place.arms === undefined)
    return arm === undefined ? check(blob, manifest, place) : refused("wrong-arm");
  const armPlace = arm === undefined ? undefined : place.arms.get(arm);
  if (armPlace === undefined) return refused("wrong-arm");
  const checked = check(blob, manifest, armPlace);
  if (checked.ok) armPlace.claim(checked.model.params);
  return checked;
}

function check(blob: HashedBlob, manifest: Manifest, place: ModelPlace): CheckedModel {
  const { bytes, sha256 } = blob;
  if (bytes.length !== manifest.bytes || sha256 !== manifest.sha256) return refused("wrong-hash");
  const content = decodeModelBlob(bytes);
  if (!content.ok) return refused(content.reason);
  const { params, scaler, fingerprint } = content;
  if (fingerprint !== manifest.fingerprint || content.modelSignature !== manifest.modelSignature) {
    return refused("contradicts-manifest");
  }
  if (fingerprint !== place.spec.fingerprint || params.length !== place.spec.count) {
    return refused("wrong-shape");
  }
  if (
    scaler.offset.length !== place.definition.inputs ||
    signatureOf(scaler, place) !== content.modelSignature
  ) {
    return refused("wrong-task");
  }
  return { ok: true, model: { manifest, params, scaler } };
}

// Computed from what the device itself runs: a server cannot talk it into a model for other columns.
function signatureOf(scaler: FittedScaler, { definition, pipelineHash }: ModelPlace): string {
  const { topologyHash } = definition;
  return modelSignature({ pipelineHash, scalerHash: scalerHash(scaler), topologyHash });
}

function refused(reason: string): CheckedModel {
  return { ok: false, reason };
}
