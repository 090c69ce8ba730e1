// The model runtime as a port: an engine builds models from definitions; only flat params cross the border.

import type { ParamSpec } from "../params/spec.js";
import type { ClipSpec, OptimizerSpec } from "../task/task.js";
import type { ModelDefinition } from "./definition.js";

/** Which code does the arithmetic. Reports name it. */
export type EngineName = "fused-wasm" | "fused-js" | "tfjs-wasm" | "tfjs-cpu" | "tfjs-node";

/** What a user asks for: one engine and no other, or for each model the fastest that covers it. */
export type EngineChoice = "auto" | EngineName;

/** Why a faster engine does not run a model. */
export interface EngineRefusal {
  readonly engine: EngineName;
  /** One line each, naming layer and option. */
  readonly reasons: readonly string[];
}

/**
 * Builds models. One runtime serves many models. A model has one user at a time: whoever trains in the
 * background (a trainer) has a runtime of its own, apart from the one that predicts.
 */
export interface ModelRuntime {
  readonly engine: EngineChoice;
  /**
   * The model of this topology, built on first use and then kept: the same object every time.
   * Rejects with HeadwaterError `model-unsupported` naming the layer and why: the first build tries one step.
   */
  model(definition: ModelDefinition): Promise<Model>;
  /** Tensors alive in this thread. Work that ends leaves as many as it found: leak checks read this. */
  liveTensors(): number;
  dispose(): void;
}

/** How a model is trained until `release`. */
export interface TrainingOptions {
  readonly optimizer: OptimizerSpec;
  /** Applied to the whole gradient of each step, terms included. */
  readonly clip?: ClipSpec | undefined;
  /** Of dropout masks. Default: "". */
  readonly seed?: string | undefined;
}

/** What an algorithm adds to the gradient of a step. Arrays have the length of the params; neither is kept. */
export interface StepTerms {
  /** FedProx: mu x (params - anchor). Li et al. 2020, eq. 2. */
  readonly proximal?: { readonly mu: number; readonly anchor: Float32Array };
  /** SCAFFOLD: the difference of control variates, added as it is. Karimireddy et al. 2020, eq. 3. */
  readonly correction?: Float32Array;
}

/**
 * One built model. Not re-entrant: one caller at a time. Row-major flat arrays throughout. Rows and params that hold
 * NaN or Infinity throw HeadwaterError `data-invalid` naming where; a step that diverges does not throw.
 */
export interface Model {
  readonly definition: ModelDefinition;
  readonly spec: ParamSpec;
  readonly engine: EngineName;
  /** The faster engines that do not run this model; empty when the fastest does. */
  readonly refusals: readonly EngineRefusal[];
  /** Freshly initialised params, by the topology's own initializers, reproducible from `seed`. */
  initialParams(seed: string): Promise<Float32Array>;
  /** Makes `params` (length `spec.count`) the current ones. Cheap when they are already. Does not keep the array. */
  load(params: Float32Array): void;
  /** A copy of the current params. */
  params(): Float32Array;
  /** Starts training with a fresh optimizer state. */
  compile(options: TrainingOptions): void;
  /**
   * One optimizer step on `rows` rows; the batch loss before the step, penalties (L1, L2) included. y: rows x outputs.
   * `x` and `y` may be overwritten once it has resolved.
   */
  step(x: Float32Array, y: Float32Array, rows: number, terms?: StepTerms): number | Promise<number>;
  /**
   * Loss and gradient without a step: `gradient` (length `spec.count`, 0 where not trainable) is overwritten with the
   * mean over the rows, penalties included, terms and clipping not. Needs no `compile`.
   */
  lossGradient(
    x: Float32Array,
    y: Float32Array,
    rows: number,
    gradient: Float32Array,
  ): number | Promise<number>;
  /** The optimizer's state as flat numbers. Only the same engine and optimizer understand it. */
  optimizerState(): Float32Array | Promise<Float32Array>;
  /** Continues from a saved state. Throws HeadwaterError `data-invalid` when its length is another's. */
  loadOptimizerState(state: Float32Array): void | Promise<void>;
  /** Ends training: the optimizer's state is gone. The params stay. */
  release(): void;
  /** Outputs for `rows` rows, rows x outputs: `out` (at least that long) when given, else a new array. */
  predict(x: Float32Array, rows: number, out?: Float32Array): Float32Array;
  dispose(): void;
}
