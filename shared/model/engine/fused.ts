// The model runtime on the fused engine: models that it covers, without loading tfjs.

import { assert } from "../../assert.js";
import { HeadwaterError } from "../../error.js";
import type { ModelDefinition } from "../definition.js";
import { checkProbabilities } from "../probabilities.js";
import type { EngineRefusal, Model, ModelRuntime } from "../runtime.js";
import { FusedModel } from "./fused-model.js";
import { planModel } from "./plan.js";
import { createTwinMemory } from "./twin/twin.js";
import { createWasmMemory, hasWasm } from "./wasm.js";

/** What the fused engine does not do itself. */
export interface FusedOptions {
  /** First params of a topology: tfjs's initializers define them. */
  readonly initialParams: (definition: ModelDefinition, seed: string) => Promise<Float32Array>;
  /** Runs what is not covered; without, `model` rejects with `model-unsupported`. */
  readonly fallback?: (definition: ModelDefinition, refusal: EngineRefusal) => Promise<Model>;
}

/** The fused engine on compiled kernels, or on plain JavaScript. */
export type FusedEngineName = "fused-wasm" | "fused-js";

/** A runtime of fused models. Throws HeadwaterError `engine-unavailable` for fused-wasm without WebAssembly. */
export function createFusedRuntime(engine: FusedEngineName, options: FusedOptions): ModelRuntime {
  if (engine === "fused-wasm" && !hasWasm())
    throw new HeadwaterError(
      "engine-unavailable",
      "engine fused-wasm needs WebAssembly with SIMD; use fused-js",
    );
  return new FusedRuntime(engine, options);
}

class FusedRuntime implements ModelRuntime {
  readonly engine: FusedEngineName;
  readonly #options: FusedOptions;
  /** By topology hash. As many as there are tasks in this process: a handful. */
  readonly #models = new Map<string, Promise<Model>>();
  #disposed = false;

  constructor(engine: FusedEngineName, options: FusedOptions) {
    this.engine = engine;
    this.#options = options;
  }

  model(definition: ModelDefinition): Promise<Model> {
    assert(!this.#disposed, "a disposed runtime builds no models");
    const key = definition.topologyHash;
    let model = this.#models.get(key);
    if (model === undefined) {
      model = this.#build(definition);
      this.#models.set(key, model);
      model.catch(() => this.#models.delete(key));
    }
    return model;
  }

  liveTensors(): number {
    return 0;
  }

  dispose(): void {
    this.#disposed = true;
    for (const model of this.#models.values())
      model.then(
        (built) => built.dispose(),
        () => undefined,
      );
    this.#models.clear();
  }

  async #build(definition: ModelDefinition): Promise<Model> {
    const planned = planModel(definition);
    const { initialParams, fallback } = this.#options;
    if (!planned.ok) {
      const refusal: EngineRefusal = { engine: this.engine, reasons: planned.reasons };
      if (fallback !== undefined) return fallback(definition, refusal);
      throw new HeadwaterError("model-unsupported", planned.reasons.join("\n"));
    }
    const create = this.engine === "fused-wasm" ? createWasmMemory : createTwinMemory;
    const model = new FusedModel({
      ...{ definition, plan: planned.plan, engine: this.engine, create },
      initialParams: (seed) => initialParams(definition, seed),
    });
    const { inputs, outputs, output } = definition;
    if (output.kind === "classification")
      checkProbabilities(model.predict(new Float32Array(inputs), 1), outputs);
    return model;
  }
}
