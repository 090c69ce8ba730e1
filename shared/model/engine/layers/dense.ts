// Dense: y = activation(x W + b) over the last axis.

import { sizeOf } from "../../../params/spec.js";
import { activationOf } from "../activations.js";
import type { Config } from "../config.js";
import { type LayerKind, type LayerPlan, type ParamPlan, type Shape, single } from "../layer.js";

/** tfjs `layers.dense`, also inside TimeDistributed. */
export const dense: LayerKind = (config, inputs) => planDense(config, single(inputs));

/** A dense layer over rows of `input`. */
export function planDense(config: Config, input: Shape): LayerPlan {
  const units = config.count("units");
  const activation = activationOf(config.text("activation", "linear"));
  const hasBias = config.boolean("use_bias", true);
  config.ignore("kernel_initializer", "bias_initializer", "input_dim");
  config.refuse("activity_regularizer", "kernel_constraint", "bias_constraint");
  const width = input.at(-1) ?? 1;
  const repeats = sizeOf(input) / width;
  const kernel: ParamPlan = {
    name: "kernel",
    shape: [width, units],
    trainable: true,
    regularizer: config.regularizer("kernel_regularizer"),
  };
  const bias: ParamPlan = {
    name: "bias",
    shape: [units],
    trainable: true,
    regularizer: config.regularizer("bias_regularizer"),
  };
  return {
    output: [...input.slice(0, -1), units],
    params: hasBias ? [kernel, bias] : [kernel],
    emit({ kernels, isTraining, x: [x = 0], y, dx: [dx = 0], dy, params, gradients, allocate }) {
      const [w = 0, b = 0] = params;
      const [dw = 0, db = 0] = gradients;
      const [xRow, yRow] = [width * 4, units * 4];
      const flipped = isTraining && dx !== 0 ? allocate(width * units) : 0;
      return {
        forward(rows) {
          const lines = rows * repeats;
          kernels.gemm(x, xRow, 4, 0, w, yRow, 0, y, yRow, b, 0, lines, units, width, 1);
          activation.forward(kernels, y, lines, units);
        },
        backward(rows) {
          const lines = rows * repeats;
          activation.backward(kernels, y, dy, lines, units);
          if (dw !== 0) kernels.gemm(x, 4, xRow, 0, dy, yRow, 0, dw, yRow, 0, 0, width, units, lines, 1);
          if (db !== 0) kernels.columnSums(dy, yRow, db, lines, units);
          if (dx === 0) return;
          kernels.transpose(w, yRow, flipped, width, units);
          kernels.gemm(dy, yRow, 4, 0, flipped, xRow, 0, dx, xRow, 0, 0, lines, width, units, 1);
        },
      };
    },
  };
}
