// Chooses the engine: the fused one for what it covers, then tfjs on wasm, then on cpu. tfjs-node only when asked for:
// its sums differ.

import { messageOf } from "../error.js";
import type { ModelDefinition } from "./definition.js";
import { createFusedRuntime, type FusedEngineName } from "./engine/fused.js";
import { hasWasm } from "./engine/wasm.js";
import type { EngineChoice, EngineName, EngineRefusal, Model, ModelRuntime } from "./runtime.js";
import { createTfjsRuntime, type TfjsRuntime } from "./tfjs.js";

/** A runtime on the engine asked for. Rejects with HeadwaterError `engine-unavailable`. */
export async function createRuntime(choice: EngineChoice): Promise<ModelRuntime> {
  switch (choice) {
    case "auto":
    case "fused-wasm":
    case "fused-js":
      return new ChosenRuntime(choice);
    default:
      return createTfjsRuntime(choice);
  }
}

/** The fused engine, with tfjs at hand: for first params, and with "auto" for models that are not covered. */
class ChosenRuntime implements ModelRuntime {
  readonly engine: EngineChoice;
  readonly #fused: ModelRuntime;
  /** tfjs is loaded when it is first needed: many processes never need it. */
  #tfjs: Promise<{ readonly runtime: TfjsRuntime; readonly refusals: readonly EngineRefusal[] }> | undefined;
  #isDisposed = false;

  constructor(choice: "auto" | FusedEngineName) {
    this.engine = choice;
    const initialParams = async (definition: ModelDefinition, seed: string) =>
      (await this.#loadTfjs()).runtime.drawInitialParams(definition, seed);
    const fallback = (definition: ModelDefinition, refusal: EngineRefusal) =>
      this.#fallBack(definition, [refusal]);
    if (choice !== "auto") this.#fused = createFusedRuntime(choice, { initialParams });
    else this.#fused = createFusedRuntime(hasWasm() ? "fused-wasm" : "fused-js", { initialParams, fallback });
  }

  model(definition: ModelDefinition): Promise<Model> {
    return this.#fused.model(definition);
  }

  liveTensors(): number {
    return 0;
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#fused.dispose();
    this.#tfjs?.then(
      ({ runtime }) => runtime.dispose(),
      () => undefined,
    );
  }

  async #fallBack(definition: ModelDefinition, before: readonly EngineRefusal[]): Promise<Model> {
    const { runtime, refusals } = await this.#loadTfjs();
    return runtime.model(definition, { refusals: [...before, ...refusals] });
  }

  #loadTfjs() {
    this.#tfjs ??= startTfjs();
    return this.#tfjs;
  }
}

async function startTfjs() {
  const refusals: EngineRefusal[] = [];
  const start = async (engine: "tfjs-wasm" | "tfjs-cpu") => ({
    runtime: await createTfjsRuntime(engine),
    refusals,
  });
  try {
    return await start("tfjs-wasm");
  } catch (error) {
    refusals.push({ engine: "tfjs-wasm" satisfies EngineName, reasons: [messageOf(error)] });
    return start("tfjs-cpu");
  }
}
