// Chooses the engine: the fused one for what it covers, then tfjs on wasm, then on cpu. tfjs-node only when asked for:
// its sums differ.

import { HeadwaterError, messageOf } from "../error.js";
import { BuiltModels } from "./built-models.js";
import type { ModelDefinition } from "./definition.js";
import { buildFused, type FusedEngineName } from "./engine/fused.js";
import { hasWasm } from "./engine/wasm.js";
import type { EngineChoice, EngineRefusal, Model, ModelRuntime } from "./runtime.js";
import { createTfjsRuntime, type TfjsRuntime } from "./tfjs.js";

/** A runtime on the engine asked for. Rejects with HeadwaterError `engine-unavailable`. */
export async function createRuntime(choice: EngineChoice): Promise<ModelRuntime> {
  switch (choice) {
    case "auto":
      return new FusedRuntime(choice, hasWasm() ? "fused-wasm" : "fused-js");
    case "fused-wasm":
      if (!hasWasm())
        throw new HeadwaterError(
          "engine-unavailable",
          "engine fused-wasm needs WebAssembly with SIMD; use fused-js",
        );
      return new FusedRuntime(choice, choice);
    case "fused-js":
      return new FusedRuntime(choice, choice);
    default:
      return createTfjsRuntime(choice);
  }
}

/** The fused engine, with tfjs at hand: for first params, and with "auto" for models that are not covered. */
class FusedRuntime implements ModelRuntime {
  readonly engine: EngineChoice;
  readonly #fused: FusedEngineName;
  readonly #models = new BuiltModels();
  /** tfjs is loaded when it is first needed: many processes never need it. */
  #tfjs: Promise<StartedTfjs> | undefined;
  #liveTensors: () => number = () => 0;

  constructor(choice: EngineChoice, fused: FusedEngineName) {
    this.engine = choice;
    this.#fused = fused;
  }

  model(definition: ModelDefinition): Promise<Model> {
    return this.#models.get(definition.topologyHash, () => this.#build(definition));
  }

  liveTensors(): number {
    return this.#liveTensors();
  }

  dispose(): void {
    if (!this.#models.dispose()) return;
    this.#tfjs?.then(
      ({ runtime }) => runtime.dispose(),
      () => undefined,
    );
  }

  async #build(definition: ModelDefinition): Promise<Model> {
    const initialParams = async (seed: string) =>
      (await this.#loadTfjs()).runtime.drawInitialParams(definition, seed);
    const built = buildFused(this.#fused, definition, initialParams);
    if (built.ok) return built.model;
    const { reasons } = built;
    if (this.engine !== "auto") throw new HeadwaterError("model-unsupported", reasons.join("\n"));
    const { runtime, refusals } = await this.#loadTfjs();
    return runtime.model(definition, { refusals: [{ engine: this.#fused, reasons }, ...refusals] });
  }

  async #loadTfjs(): Promise<StartedTfjs> {
    this.#tfjs ??= startTfjs();
    const started = await this.#tfjs;
    this.#liveTensors = () => started.runtime.liveTensors();
    return started;
  }
}

interface StartedTfjs {
  readonly runtime: TfjsRuntime;
  /** The backends that did not start. */
  readonly refusals: readonly EngineRefusal[];
}

async function startTfjs(): Promise<StartedTfjs> {
  try {
    return { runtime: await createTfjsRuntime("tfjs-wasm"), refusals: [] };
  } catch (error) {
    const refusals: EngineRefusal[] = [{ engine: "tfjs-wasm", reasons: [messageOf(error)] }];
    return { runtime: await createTfjsRuntime("tfjs-cpu"), refusals };
  }
}
