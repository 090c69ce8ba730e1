// BatchNormalization and LayerNormalization, over the last axis.

import { sizeOf } from "../../../params/spec.js";
import { type Config, Unsupported } from "../config.js";
import { type LayerKind, type ParamPlan, type Shape, single } from "../layer.js";

/** tfjs `layers.batchNormalization`: the batch's statistics in training, the moving ones otherwise. */
export const batchNormalization: LayerKind = (config, inputs) => {
  const input = single(inputs);
  checkAxis(config, input);
  const { epsilon, scale, shift, columns } = readScale(config, input);
  const momentum = config.number("momentum", 0.99, (value) => value >= 0 && value <= 1);
  config.ignore("moving_mean_initializer", "moving_variance_initializer");
  const moving = ["moving_mean", "moving_variance"].map(
    (name): ParamPlan => ({ name, shape: [columns], trainable: false, regularizer: { l1: 0, l2: 0 } }),
  );
  const repeats = sizeOf(input) / columns;
  return {
    output: input,
    params: [...scale, ...shift, ...moving],
    emit({ kernels, x: [x = 0], y, dx: [dx = 0], dy, params, gradients, allocate, capacity, isTraining }) {
      const at = { gamma: 0, beta: scale.length, mean: scale.length + shift.length };
      const gamma = scale.length > 0 ? params[at.gamma]! : allocate(columns);
      const beta = shift.length > 0 ? params[at.beta]! : 0;
      const [movingMean, movingVariance] = [params[at.mean]!, params[at.mean + 1]!];
      const [mean, variance, deviation] = [allocate(columns), allocate(columns), allocate(columns)];
      const hat = allocate(capacity * sizeOf(input));
      const product = isTraining ? allocate(capacity * sizeOf(input)) : 0;
      const sums = [allocate(columns), allocate(columns)];
      const none = allocate(columns);
      const shiftFrom = beta === 0 ? none : beta;
      const dGamma = (scale.length > 0 && gradients[at.gamma]) || sums[0]!;
      const dBeta = (shift.length > 0 && gradients[at.beta]) || sums[1]!;
      return {
        forward(rows, { isTraining: learns }) {
          const lines = rows * repeats;
          if (scale.length === 0) kernels.fill(gamma, columns, 1);
          if (learns) {
            kernels.columnMoments(x, mean, variance, product, lines, columns);
            kernels.moveAverage(movingMean, mean, columns, 1 - momentum);
            kernels.moveAverage(movingVariance, variance, columns, 1 - momentum);
          }
          const [m, v] = learns ? [mean, variance] : [movingMean, movingVariance];
          kernels.normalizeColumns(x, m, v, gamma, shiftFrom, deviation, hat, y, lines, columns, epsilon);
        },
        backward(rows) {
          const lines = rows * repeats;
          kernels.columnSums(dy, columns * 4, dBeta, lines, columns);
          kernels.multiply(dy, hat, product, lines * columns);
          kernels.columnSums(product, columns * 4, dGamma, lines, columns);
          if (dx !== 0)
            kernels.normalizeColumnsBack(hat, dy, gamma, deviation, dGamma, dBeta, dx, lines, columns);
        },
      };
    },
  };
};

/** tfjs `layers.layerNormalization`. */
export const layerNormalization: LayerKind = (config, inputs) => {
  const input = single(inputs);
  checkAxis(config, input);
  const { epsilon, scale, shift, columns } = readScale(config, input);
  config.ignore("supports_masking");
  const repeats = sizeOf(input) / columns;
  return {
    output: input,
    params: [...scale, ...shift],
    emit({ kernels, x: [x = 0], y, dx: [dx = 0], dy, params, gradients, allocate, capacity, isTraining }) {
      const gamma = scale.length > 0 ? params[0]! : allocate(columns);
      const beta = shift.length > 0 ? params[scale.length]! : allocate(columns);
      const dGamma = scale.length > 0 ? gradients[0]! : 0;
      const dBeta = shift.length > 0 ? gradients[scale.length]! : 0;
      const deviation = allocate(capacity * repeats);
      const hat = allocate(capacity * sizeOf(input));
      const product = isTraining ? allocate(capacity * sizeOf(input)) : 0;
      return {
        forward(rows) {
          if (scale.length === 0) kernels.fill(gamma, columns, 1);
          kernels.normalizeRows(x, gamma, beta, deviation, hat, y, rows * repeats, columns, epsilon);
        },
        backward(rows) {
          const lines = rows * repeats;
          if (dBeta !== 0) kernels.columnSums(dy, columns * 4, dBeta, lines, columns);
          if (dGamma !== 0) {
            kernels.multiply(dy, hat, product, lines * columns);
            kernels.columnSums(product, columns * 4, dGamma, lines, columns);
          }
          if (dx !== 0) kernels.normalizeRowsBack(hat, dy, gamma, deviation, dx, lines, columns);
        },
      };
    },
  };
};

function checkAxis(config: Config, input: Shape): void {
  const given = config.value("axis") ?? -1;
  const axis = Array.isArray(given) && given.length === 1 ? given[0] : given;
  if (axis !== -1 && axis !== input.length) throw new Unsupported(`option axis ${JSON.stringify(given)}`);
}

function readScale(config: Config, input: Shape) {
  const columns = input.at(-1) ?? 1;
  const epsilon = config.number("epsilon", 1e-3, (value) => value > 0);
  config.ignore("beta_initializer", "gamma_initializer");
  config.refuse("beta_constraint", "gamma_constraint");
  const param = (name: string, regularizer: ParamPlan["regularizer"]): ParamPlan => {
    return { name, shape: [columns], trainable: true, regularizer };
  };
  const gamma = param("gamma", config.regularizer("gamma_regularizer"));
  const beta = param("beta", config.regularizer("beta_regularizer"));
  const scale = config.boolean("scale", true) ? [gamma] : [];
  const shift = config.boolean("center", true) ? [beta] : [];
  return { epsilon, scale, shift, columns };
}
