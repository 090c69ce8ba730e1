// PReLU: a learned slope for what is negative. He et al. 2015, sec. 2.1.

import { sizeOf } from "../../../params/spec.js";
import { type Config, Unsupported } from "../config.js";
import { type LayerKind, type Shape, type Site, single } from "../layer.js";

/** tfjs `layers.prelu`: a slope for each value of a row, or shared along some axes. */
export const prelu: LayerKind = (config, inputs) => {
  const shape = single(inputs);
  const axes = readSharedAxes(config, shape);
  config.ignore("alpha_initializer");
  config.refuse("alpha_constraint");
  const alphaShape = shape.map((length, at) => (axes.has(at + 1) ? 1 : length));
  const regularizer = config.regularizer("alpha_regularizer");
  const size = sizeOf(shape);
  return {
    output: shape,
    params: [{ name: "alpha", shape: alphaShape, trainable: true, regularizer }],
    emit(site) {
      const {
        kernels,
        x: [x = 0],
        y,
        dx: [dx = 0],
        dy,
        gradients: [dAlpha = 0],
      } = site;
      const slopes = spreading(site, shape, alphaShape);
      // The kernel writes it, wanted or not.
      const dSlopes = slopes.gradient === 0 ? site.allocate(size) : slopes.gradient;
      return {
        forward(rows) {
          slopes.spread();
          kernels.prelu(x, slopes.alpha, y, rows * size, size);
        },
        backward(rows) {
          kernels.preluBack(x, slopes.alpha, dy, dx === 0 ? dy : dx, dSlopes, rows * size, size);
          if (dAlpha !== 0) slopes.gather();
        },
      };
    },
  };
};

// Axes of a row count from 1: 0 is the batch.
function readSharedAxes(config: Config, shape: Shape): ReadonlySet<number> {
  const given = config.value("shared_axes") ?? [];
  const axes = Array.isArray(given) ? given : [given];
  const isAxis = (axis: unknown) =>
    Number.isInteger(axis) && Number(axis) >= 1 && Number(axis) <= shape.length;
  if (!axes.every(isAxis)) throw new Unsupported(`option shared_axes ${JSON.stringify(given)}`);
  return new Set(axes);
}

/** One slope and one gradient for each value of a row: the layer's own where nothing is shared. */
interface Slopes {
  readonly alpha: number;
  /** 0: not wanted. */
  readonly gradient: number;
  /** Fills `alpha` from the layer's own. */
  spread(): void;
  /** Fills the layer's own gradient from `gradient`. */
  gather(): void;
}

/** One axis from length 1 to its own: `times` copies of each of `outer` pieces. */
interface Stage {
  readonly from: { readonly alpha: number; readonly gradient: number };
  readonly to: { readonly alpha: number; readonly gradient: number };
  readonly outer: number;
  readonly times: number;
  readonly bytes: number;
}

// From the last axis to the first: what lies behind an axis has its own lengths by then, what lies before it not yet.
function spreading({ kernels, params, gradients, allocate }: Site, shape: Shape, alphaShape: Shape): Slopes {
  const stages: Stage[] = [];
  let from = { alpha: params[0] ?? 0, gradient: gradients[0] ?? 0 };
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const times = shape[axis]!;
    if (alphaShape[axis] === times) continue;
    const outer = sizeOf(alphaShape.slice(0, axis));
    const inner = sizeOf(shape.slice(axis + 1));
    const place = () => allocate(outer * times * inner);
    const to = { alpha: place(), gradient: from.gradient === 0 ? 0 : place() };
    stages.push({ from, to, outer, times, bytes: inner * 4 });
    from = to;
  }
  return {
    ...from,
    spread() {
      for (const { from, to, outer, times, bytes } of stages)
        for (let at = 0; at < outer; at++)
          kernels.copyRows(from.alpha + at * bytes, 0, to.alpha + at * times * bytes, bytes, times, bytes);
    },
    gather() {
      for (const { from, to, outer, times, bytes } of stages.toReversed())
        for (let at = 0; at < outer; at++) {
          const copies = to.gradient + at * times * bytes;
          kernels.columnSums(copies, bytes, from.gradient + at * bytes, times, bytes / 4);
        }
    },
  };
}
