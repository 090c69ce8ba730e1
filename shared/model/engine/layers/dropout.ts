// Dropout with masks from a counter, so that the same step of the same job drops the same values everywhere.

import { sizeOf } from "../../../params/spec.js";
import { type LayerKind, single } from "../layer.js";

/** tfjs `layers.dropout`, inverted: kept values grow by 1 / (1 - rate). Srivastava et al. 2014, sec. 10. */
export const dropout: LayerKind = (config, inputs) => {
  const shape = single(inputs);
  const rate = config.number("rate", 0, (value) => value >= 0 && value < 1);
  // tfjs's own seed would repeat one mask; ours come from the job's.
  config.ignore("seed");
  config.refuse("noise_shape");
  const size = sizeOf(shape);
  const threshold = Math.min(Math.round(rate * 2 ** 32), 2 ** 32 - 1);
  const factor = 1 / (1 - rate);
  return {
    output: shape,
    params: [],
    emit({ kernels, x: [x = 0], y, dx: [dx = 0], dy, place }) {
      return {
        forward(rows, { isTraining, seed, step }) {
          if (isTraining) kernels.dropout(x, y, rows * size, seed ^ place, step, threshold, factor);
          else kernels.copyRows(x, 0, y, 0, 1, rows * size * 4);
        },
        backward(rows, { seed, step }) {
          if (dx !== 0) kernels.dropout(dy, dx, rows * size, seed ^ place, step, threshold, factor);
        },
      };
    },
  };
};
