// Layers as tfjs's own `toJSON` writes them, so that any tfjs program can load a topology of ours.

import type { JsonObject, JsonValue } from "../task/task.js";

/** One layer of a topology. */
export interface LayerJson extends Readonly<Record<string, JsonValue>> {
  readonly class_name: string;
  readonly config: JsonObject;
}

/** tfjs `layers.dense`. */
export function denseLayer(name: string, units: number, activation: string): LayerJson {
  return {
    class_name: "Dense",
    config: {
      units,
      activation,
      use_bias: true,
      kernel_initializer: GLOROT_UNIFORM,
      bias_initializer: { class_name: "Zeros", config: {} },
      kernel_regularizer: null,
      bias_regularizer: null,
      activity_regularizer: null,
      kernel_constraint: null,
      bias_constraint: null,
      name,
      trainable: true,
    },
  };
}

/** Glorot and Bengio 2010, eq. 16, in tfjs's words. */
export const GLOROT_UNIFORM: JsonObject = {
  class_name: "VarianceScaling",
  config: { scale: 1, mode: "fan_avg", distribution: "uniform", seed: null },
};

/** The layers, the first of which takes rows of `inputs` columns. */
export function withInput([first, ...rest]: readonly LayerJson[], inputs: number): LayerJson[] {
  if (first === undefined) return [];
  const config = { ...first.config, batch_input_shape: [null, inputs], dtype: "float32" };
  return [{ ...first, config }, ...rest];
}
