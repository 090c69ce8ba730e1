// The model runtime as a port: an engine builds models from definitions; only flat params cross the border.

import type { ParamSpec } from "../params/spec.js";
import type { OptimizerSpec } from "../task/task.js";
import type { ModelDefinition } from "./definition.js";

/** Which code does the arithmetic. Reports name it. */
export type EngineName = "tfjs-wasm" | "tfjs-cpu" | "tfjs-node";

/** Builds models. One runtime serves many models; `model` returns the same object for the same topology. */
export interface ModelRuntime {
  readonly engine: EngineName;
  /** Throws HeadwaterError `model-unsupported` naming the layer and option. */
  model(definition: ModelDefinition): Model;
  dispose(): void;
}

/** One built model. Not re-entrant: one caller at a time. Row-major flat arrays throughout. */
export interface Model {
  readonly definition: ModelDefinition;
  readonly spec: ParamSpec;
  /** Freshly initialised params, by the topology's own initializers, reproducible from `seed`. */
  initialParams(seed: string): Float32Array;
  /** Makes `params` (length `spec.count`) the current ones. Cheap when they are already. Does not keep the array. */
  load(params: Float32Array): void;
  /** A copy of the current params. */
  params(): Float32Array;
  /** Starts training with a fresh optimizer state. */
  compile(optimizer: OptimizerSpec): void;
  /** One optimizer step on `rows` rows; returns the batch loss before the step. y: rows x outputs. */
  step(x: Float32Array, y: Float32Array, rows: number): number;
  /** Outputs for `rows` rows, rows x outputs: a new array. */
  predict(x: Float32Array, rows: number): Float32Array;
  dispose(): void;
}
