// DepthwiseConv2D, and SeparableConv2D: depthwise, then 1 x 1 (Chollet 2017, sec. 3).

import type { LayerKind, ParamPlan, Site } from "../layer.js";
import { padInput, readConvolved, readEnding } from "./convolution.js";
import { outputOf, type Windows } from "./image.js";

/** tfjs `layers.depthwiseConv2d`. */
export const depthwiseConv2d: LayerKind = (config, inputs) => {
  const windows = readConvolved(config, inputs, 2);
  const multiplier = config.count("depth_multiplier", 1);
  const filters = windows.channels * multiplier;
  const { activation, bias } = readEnding(config, filters);
  config.ignore("depthwise_initializer", "kernel_initializer");
  config.refuse("depthwise_constraint", "kernel_regularizer", "kernel_constraint");
  const regularizer = config.regularizer("depthwise_regularizer");
  return {
    output: outputOf(windows, 2, filters),
    params: [depthwiseKernel(windows, multiplier, regularizer), ...bias],
    emit(site) {
      const { kernels, y, dy } = site;
      const [w = 0, b = 0] = site.params;
      const [dw = 0, db = 0] = site.gradients;
      const code = emitDepthwise(site, windows, multiplier);
      const lines = windows.outHeight * windows.outWidth;
      return {
        forward(rows) {
          code.forward(w, b, y, rows);
          activation.forward(kernels, y, rows * lines, filters);
        },
        backward(rows) {
          activation.backward(kernels, y, dy, rows * lines, filters);
          code.backward(w, dy, dw, rows);
          if (db !== 0) kernels.columnSums(dy, filters * 4, db, rows * lines, filters);
        },
      };
    },
  };
};

/** tfjs `layers.separableConv2d`. */
export const separableConv2d: LayerKind = (config, inputs) => {
  const windows = readConvolved(config, inputs, 2);
  // tfjs 4.22 reads it and then always has one.
  const multiplier = config.number("depth_multiplier", 1, (value) => value === 1);
  const filters = config.count("filters");
  const { activation, bias } = readEnding(config, filters);
  config.ignore("depthwise_initializer", "pointwise_initializer", "kernel_initializer", "rank");
  config.refuse("depthwise_constraint", "pointwise_constraint", "kernel_regularizer", "kernel_constraint");
  const inner = windows.channels * multiplier;
  const depth = depthwiseKernel(windows, multiplier, config.regularizer("depthwise_regularizer"));
  const regularizer = config.regularizer("pointwise_regularizer");
  const point = { name: "pointwise_kernel", shape: [1, 1, inner, filters], trainable: true, regularizer };
  return {
    output: outputOf(windows, 2, filters),
    params: [depth, point, ...bias],
    emit(site) {
      const { kernels, y, dy, allocate, capacity, isTraining } = site;
      const [w = 0, p = 0, b = 0] = site.params;
      const [dw = 0, dp = 0, db = 0] = site.gradients;
      const code = emitDepthwise(site, windows, multiplier);
      const pixels = windows.outHeight * windows.outWidth;
      const middle = allocate(capacity * pixels * inner);
      const dMiddle = isTraining ? allocate(capacity * pixels * inner) : 0;
      const flipped = isTraining ? allocate(inner * filters) : 0;
      const [wide, narrow] = [inner * 4, filters * 4];
      return {
        forward(rows) {
          const lines = rows * pixels;
          code.forward(w, 0, middle, rows);
          kernels.gemm(middle, wide, 4, 0, p, narrow, 0, y, narrow, b, 0, lines, filters, inner, 1);
          activation.forward(kernels, y, lines, filters);
        },
        backward(rows) {
          const lines = rows * pixels;
          activation.backward(kernels, y, dy, lines, filters);
          if (dp !== 0)
            kernels.gemm(middle, 4, wide, 0, dy, narrow, 0, dp, narrow, 0, 0, inner, filters, lines, 1);
          if (db !== 0) kernels.columnSums(dy, narrow, db, lines, filters);
          kernels.transpose(p, narrow, flipped, inner, filters);
          kernels.gemm(dy, narrow, 4, 0, flipped, wide, 0, dMiddle, wide, 0, 0, lines, inner, filters, 1);
          code.backward(w, dMiddle, dw, rows);
        },
      };
    },
  };
};

function depthwiseKernel(
  { kernelRows, kernelColumns, channels }: Windows,
  multiplier: number,
  regularizer: ParamPlan["regularizer"],
): ParamPlan {
  const shape = [kernelRows, kernelColumns, channels, multiplier];
  return { name: "depthwise_kernel", shape, trainable: true, regularizer };
}

function emitDepthwise(site: Site, windows: Windows, multiplier: number) {
  const {
    kernels,
    x: [x = 0],
    dx: [dx = 0],
    allocate,
    capacity,
    isTraining,
  } = site;
  const { outHeight, outWidth, kernelRows, kernelColumns, channels } = windows;
  const padded = padInput(site, windows);
  const source = padded.place(x);
  const shape = [outHeight, outWidth, kernelRows, kernelColumns, channels, multiplier] as const;
  const border = dx === 0 ? 0 : allocate(padded.bytes(capacity) / 4);
  // A kernel that is not trained still gets a gradient, for nobody.
  const unwanted = isTraining ? allocate(kernelRows * kernelColumns * channels * multiplier) : 0;
  return {
    forward(w: number, bias: number, y: number, rows: number) {
      padded.fill(x, rows);
      kernels.depthwise(...source, w, bias, y, rows, ...shape);
    },
    backward(w: number, dy: number, dw: number, rows: number) {
      const bytes = padded.bytes(rows);
      kernels.depthwiseBack(...source, w, dy, dw === 0 ? unwanted : dw, border, bytes, rows, ...shape);
      if (dx !== 0) padded.crop(border, dx, rows);
    },
  };
}
