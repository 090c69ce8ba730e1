// A model slot over a real database, and versions for it.

import type { DeviceFact } from "../../device/fact.js";
import { ModelCache } from "../../device/model/cache.js";
import { hashBlob } from "../../device/model/hashed-blob.js";
import { Failures } from "../../device/release/failures.js";
import { Probation } from "../../device/release/probation.js";
import { type Missing, ModelSlot } from "../../device/release/slot.js";
import { ReleaseStore } from "../../device/release/store.js";
import { VersionTrial } from "../../device/release/version-trial.js";
import { Counters } from "../../shared/counters.js";
import { modelSignature } from "../../shared/model/define.js";
import type { Model } from "../../shared/model/runtime.js";
import { scalerHash } from "../../shared/pipeline/scaler.js";
import type { FittedScaler } from "../../shared/pipeline/types.js";
import type { Database } from "../../shared/storage/port.js";
import { sha256Hex } from "../../shared/task/canonical.js";
import type { Manifest } from "../../shared/wire/message.js";
import { encodeModelBlob } from "../../shared/wire/model-blob.js";
import { createDisk, taskId } from "./device-kit.js";
import { ManualClock } from "./manual-clock.js";

export const pipelineHash = "0".repeat(64);

/** A slot over `model`; another one over the same database is the next process. */
export function openSlot(
  model: Model,
  options: { readonly state?: Database; readonly clock?: ManualClock; readonly scaler: FittedScaler },
) {
  const { scaler, state = createDisk().state, clock = new ManualClock() } = options;
  const { definition, spec } = model;
  const counters = new Counters();
  const facts: DeviceFact[] = [];
  const cache = new ModelCache(state);
  const store = new ReleaseStore(state);
  const failures = new Failures({ store, clock, counters });
  const probation = new Probation(state, clock, undefined);
  const slot = new ModelSlot({
    ...{ cache, failures, probation, counters },
    versions: new VersionTrial({
      ...{ model, place: { definition, spec, pipelineHash } },
      samples: () => [],
      isSigned: () => true,
    }),
    observe: (fact) => facts.push(fact),
    onChange: () => undefined,
  });
  /** A version, signed by nobody. */
  const version = (number: number, params: Float32Array) => {
    const { topologyHash } = definition;
    const signature = modelSignature({ pipelineHash, scalerHash: scalerHash(scaler), topologyHash });
    const { fingerprint } = spec;
    const blob = encodeModelBlob({ params, scaler, fingerprint, modelSignature: signature });
    const manifest: Manifest = {
      v: 1,
      task: taskId("linear"),
      version: number,
      parent: 0,
      sha256: sha256Hex(blob),
      bytes: blob.length,
      fingerprint,
      modelSignature: signature,
      createdMs: 0,
      expiresMs: 1,
      signature: new Uint8Array(64),
    };
    return { manifest, blob: hashBlob(blob) };
  };
  const install = (
    number: number,
    params: Float32Array,
    role: Missing["role"] = "stable",
    mode: "shadow" | "canary" = "shadow",
  ) => {
    const { manifest, blob } = version(number, params);
    return slot.install({ role, manifest }, blob, mode);
  };
  return { slot, install, version, counters, facts, cache, state, failures, probation, clock };
}
