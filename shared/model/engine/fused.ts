// Builds models on the fused engine, without tfjs.

import type { ModelDefinition } from "../definition.js";
import { checkProbabilities } from "../probabilities.js";
import type { Model } from "../runtime.js";
import { FusedModel } from "./fused-model.js";
import { planModel } from "./plan.js";
import { createTwinMemory } from "./twin/twin.js";
import { createWasmMemory } from "./wasm.js";

/** The fused engine on compiled kernels, or on plain JavaScript. */
export type FusedEngineName = "fused-wasm" | "fused-js";

/** A model, or why the fused engine does not run it: one line for each layer. */
export type FusedBuild =
  | { readonly ok: true; readonly model: Model }
  | { readonly ok: false; readonly reasons: readonly string[] };

/** Builds `definition`. Throws HeadwaterError `model-unsupported` where probabilities are meant and none given. */
export function buildFused(
  engine: FusedEngineName,
  definition: ModelDefinition,
  initialParams: (seed: string) => Promise<Float32Array>,
): FusedBuild {
  const planned = planModel(definition);
  if (!planned.ok) return planned;
  const create = engine === "fused-wasm" ? createWasmMemory : createTwinMemory;
  const model = new FusedModel({ definition, plan: planned.plan, engine, create, initialParams });
  checkProbabilities(model);
  return { ok: true, model };
}
