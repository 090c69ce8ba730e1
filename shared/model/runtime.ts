// The model runtime as a port: an engine builds models from definitions; only flat params cross the border.

import type { ParamSpec } from "../params/spec.js";
import type { OptimizerSpec } from "../task/task.js";
import type { ModelDefinition } from "./definition.js";

/** Which code does the arithmetic. Reports name it. */
export type EngineName = "tfjs-wasm" | "tfjs-cpu" | "tfjs-node";

/**
 * Builds models. One runtime serves many models. A model has one user at a time: whoever trains in the
 * background (a trainer) has a runtime of its own, apart from the one that predicts.
 */
export interface ModelRuntime {
  readonly engine: EngineName;
  /**
   * The model of this topology, built on first use and then kept: the same object every time.
   * Rejects with HeadwaterError `model-unsupported` naming the layer and why: the first build tries one step.
   */
  model(definition: ModelDefinition): Promise<Model>;
  /** Tensors alive in this thread. Work that ends leaves as many as it found: leak checks read this. */
  liveTensors(): number;
  dispose(): void;
}

/** One built model. Not re-entrant: one caller at a time. Row-major flat arrays throughout. */
export interface Model {
  readonly definition: ModelDefinition;
  readonly spec: ParamSpec;
  /** Freshly initialised params, by the topology's own initializers, reproducible from `seed`. */
  initialParams(seed: string): Promise<Float32Array>;
  /** Makes `params` (length `spec.count`) the current ones. Cheap when they are already. Does not keep the array. */
  load(params: Float32Array): void;
  /** A copy of the current params. */
  params(): Float32Array;
  /** Starts training with a fresh optimizer state. */
  compile(optimizer: OptimizerSpec): void;
  /**
   * One optimizer step on `rows` rows; resolves to the batch loss before the step. y: rows x outputs.
   * `x` and `y` may be overwritten once it has resolved.
   */
  step(x: Float32Array, y: Float32Array, rows: number): Promise<number>;
  /** Ends training: frees the optimizer's state. The params stay. */
  release(): void;
  /** Outputs for `rows` rows, rows x outputs: a new array. */
  predict(x: Float32Array, rows: number): Float32Array;
  dispose(): void;
}
