// Layers of several inputs: Add, Concatenate. And one that repeats: RepeatVector.

import { sizeOf } from "../../../params/spec.js";
import { Unsupported } from "../config.js";
import { type LayerKind, type Shape, single } from "../layer.js";

/** tfjs `layers.add`. */
export const add: LayerKind = (_config, inputs) => {
  const [shape] = inputs;
  if (shape === undefined || inputs.some((other) => `${other}` !== `${shape}`)) throw unequal(inputs);
  const size = sizeOf(shape);
  return {
    output: shape,
    params: [],
    emit: ({ kernels, x, y, dx, dy }) => ({
      forward(rows) {
        kernels.copyRows(x[0]!, 0, y, 0, 1, rows * size * 4);
        for (const other of x.slice(1)) kernels.add(y, other, y, rows * size);
      },
      backward(rows) {
        for (const to of dx) if (to !== 0) kernels.copyRows(dy, 0, to, 0, 1, rows * size * 4);
      },
    }),
  };
};

/** tfjs `layers.concatenate`, along the last axis. */
export const concatenate: LayerKind = (config, inputs) => {
  const [shape] = inputs;
  const axis = config.number("axis", -1, Number.isInteger);
  if (shape === undefined || (axis !== -1 && axis !== shape.length))
    throw new Unsupported(`option axis ${axis}`);
  const before = (of: Shape) => `${of.length} ${of.slice(0, -1)}`;
  if (inputs.some((other) => before(other) !== before(shape))) throw unequal(inputs);
  const widths = inputs.map((each) => each.at(-1)!);
  const total = widths.reduce((sum, width) => sum + width, 0);
  const repeats = sizeOf(shape.slice(0, -1));
  const starts = widths.map((_, at) => widths.slice(0, at).reduce((sum, width) => sum + width, 0) * 4);
  return {
    output: [...shape.slice(0, -1), total],
    params: [],
    emit: ({ kernels, x, y, dx, dy }) => ({
      forward(rows) {
        x.forEach((from, at) => {
          const bytes = widths[at]! * 4;
          kernels.copyRows(from, bytes, y + starts[at]!, total * 4, rows * repeats, bytes);
        });
      },
      backward(rows) {
        dx.forEach((to, at) => {
          const bytes = widths[at]! * 4;
          if (to !== 0) kernels.copyRows(dy + starts[at]!, total * 4, to, bytes, rows * repeats, bytes);
        });
      },
    }),
  };
};

/** tfjs `layers.repeatVector`. */
export const repeatVector: LayerKind = (config, inputs) => {
  const shape = single(inputs);
  if (shape.length !== 1) throw new Unsupported(`an input of [${shape.join(", ")}], expected 1 axis`);
  const times = config.count("n");
  const width = shape[0]!;
  const bytes = width * 4;
  return {
    output: [times, width],
    params: [],
    emit: ({ kernels, x: [x = 0], y, dx: [dx = 0], dy }) => ({
      forward(rows) {
        for (let at = 0; at < times; at++)
          kernels.copyRows(x, bytes, y + at * bytes, times * bytes, rows, bytes);
      },
      backward(rows) {
        if (dx === 0) return;
        for (let row = 0; row < rows; row++)
          kernels.columnSums(dy + row * times * bytes, bytes, dx + row * bytes, times, width);
      },
    }),
  };
};

function unequal(inputs: readonly Shape[]): Unsupported {
  return new Unsupported(`inputs of ${inputs.map((shape) => `[${shape.join(", ")}]`).join(" and ")}`);
}
