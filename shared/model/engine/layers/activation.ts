// Layers that are an activation and nothing else.

import { sizeOf } from "../../../params/spec.js";
import { type Activation, activationOf, elementwise } from "../activations.js";
import { Unsupported } from "../config.js";
import { activationKinds } from "../kernels.js";
import { type LayerKind, type LayerPlan, type Shape, single } from "../layer.js";

/** tfjs `layers.activation`. */
export const activation: LayerKind = (config, inputs) =>
  planActivation(activationOf(config.text("activation", "linear")), single(inputs));

/** tfjs `layers.reLU`; `max_value` of 6 only. */
export const relu: LayerKind = (config, inputs) => {
  const max = config.value("max_value");
  if (max !== undefined && max !== 6) throw new Unsupported(`option max_value ${JSON.stringify(max)}`);
  const kind = max === undefined ? activationKinds.relu : activationKinds.relu6;
  return planActivation(elementwise(kind), single(inputs));
};

/** tfjs `layers.leakyReLU`. */
export const leakyRelu: LayerKind = (config, inputs) => {
  // From the sign of the output follows that of the input only for a positive slope.
  const alpha = config.number("alpha", 0.3, (value) => value > 0);
  return planActivation(elementwise(activationKinds.leakyRelu, alpha), single(inputs));
};

/** tfjs `layers.elu`, which knows no other alpha than 1. */
export const elu: LayerKind = (config, inputs) => {
  const alpha = config.number("alpha", 1, (value) => value === 1);
  return planActivation(elementwise(activationKinds.elu, alpha), single(inputs));
};

/** tfjs `layers.softmax`, over the last axis. */
export const softmax: LayerKind = (config, inputs) => {
  const shape = single(inputs);
  const axis = config.number("axis", -1, Number.isInteger);
  if (axis !== -1 && axis !== shape.length) throw new Unsupported(`option axis ${axis}`);
  return planActivation(activationOf("softmax"), shape);
};

function planActivation(activation: Activation, shape: Shape): LayerPlan {
  const columns = shape.at(-1) ?? 1;
  const repeats = sizeOf(shape) / columns;
  const bytes = sizeOf(shape) * 4;
  return {
    output: shape,
    params: [],
    emit: ({ kernels, x: [x = 0], y, dx: [dx = 0], dy }) => ({
      forward(rows) {
        kernels.copyRows(x, 0, y, 0, 1, rows * bytes);
        activation.forward(kernels, y, rows * repeats, columns);
      },
      backward(rows) {
        if (dx === 0) return;
        activation.backward(kernels, y, dy, rows * repeats, columns);
        kernels.copyRows(dy, 0, dx, 0, 1, rows * bytes);
      },
    }),
  };
}
