// Layers that change a row's shape, not its values: Flatten, Reshape. And the input.

import { sizeOf } from "../../../params/spec.js";
import { Unsupported } from "../config.js";
import { type LayerKind, type LayerPlan, type Shape, single } from "../layer.js";

/** tfjs `input`: the engine puts the rows where its output is. */
export const input: LayerKind = (config) => {
  const shape = config.value("batch_input_shape");
  config.ignore("sparse", "ragged");
  if (!Array.isArray(shape) || !shape.slice(1).every((length) => Number.isInteger(length) && length >= 1))
    throw new Unsupported(`option batch_input_shape ${JSON.stringify(shape ?? null)}`);
  const output = shape.slice(1) as number[];
  return { output, params: [], emit: () => ({ forward: () => undefined, backward: () => undefined }) };
};

/** tfjs `layers.flatten`. */
export const flatten: LayerKind = (config, inputs) => {
  config.choice("data_format", ["channelsLast", "channels_last"], "channelsLast");
  return reshaped(single(inputs), [sizeOf(single(inputs))]);
};

/** tfjs `layers.reshape`; one length may be -1 or null: the rest. */
export const reshape: LayerKind = (config, inputs) => {
  const from = single(inputs);
  const target = config.value("target_shape");
  const refused = new Unsupported(
    `option target_shape ${JSON.stringify(target ?? null)} of [${from.join(", ")}]`,
  );
  if (!Array.isArray(target)) throw refused;
  const isOpen = (length: unknown) => length === -1 || length === null;
  const known = target.filter((length) => !isOpen(length)).map(Number);
  const rest = sizeOf(from) / sizeOf(known);
  const to = target.map((length) => (isOpen(length) ? rest : Number(length)));
  const isValid = to.every((length) => Number.isInteger(length) && length >= 1);
  if (!isValid || target.filter(isOpen).length > 1 || sizeOf(to) !== sizeOf(from)) throw refused;
  return reshaped(from, to);
};

function reshaped(from: Shape, output: Shape): LayerPlan {
  const bytes = sizeOf(from) * 4;
  return {
    output,
    params: [],
    emit: ({ kernels, x: [x = 0], y, dx: [dx = 0], dy }) => ({
      forward: (rows) => kernels.copyRows(x, 0, y, 0, 1, rows * bytes),
      backward(rows) {
        if (dx !== 0) kernels.copyRows(dy, 0, dx, 0, 1, rows * bytes);
      },
    }),
  };
}
