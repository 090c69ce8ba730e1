// Conv1D and Conv2D, and the code of any convolution: a product per row of the output, on padded images.

import { type Activation, activationOf } from "../activations.js";
import type { Config } from "../config.js";
import { type LayerKind, type LayerPlan, type ParamPlan, type Site, single } from "../layer.js";
import { outputOf, readWindows, type Windows } from "./image.js";

/** tfjs `layers.conv1d`. */
export const conv1d: LayerKind = (config, inputs) =>
  planConvolution(config, readConvolved(config, inputs, 1), 1);

/** tfjs `layers.conv2d`. */
export const conv2d: LayerKind = (config, inputs) =>
  planConvolution(config, readConvolved(config, inputs, 2), 2);

/** The windows of a convolution. tfjs cannot train dilated ones, so there is none to compare with. */
export function readConvolved(config: Config, inputs: Parameters<LayerKind>[1], axes: 1 | 2): Windows {
  const windows = readWindows(config, single(inputs), axes, "kernel_size");
  const dilation = config.value("dilation_rate");
  const rates = Array.isArray(dilation) ? dilation : [dilation ?? 1];
  if (rates.some((rate) => rate !== 1)) config.refuse("dilation_rate");
  return windows;
}

/** What follows the sums of a convolution: bias and activation. */
export interface Ending {
  readonly activation: Activation;
  readonly bias: readonly ParamPlan[];
}

/** Reads bias and activation for `filters` filters. */
export function readEnding(config: Config, filters: number): Ending {
  const activation = activationOf(config.text("activation", "linear"));
  config.ignore("bias_initializer");
  config.refuse("activity_regularizer", "bias_constraint");
  const regularizer = config.regularizer("bias_regularizer");
  const bias = { name: "bias", shape: [filters], trainable: true, regularizer };
  return { activation, bias: config.boolean("use_bias", true) ? [bias] : [] };
}

function planConvolution(config: Config, windows: Windows, axes: 1 | 2): LayerPlan {
  const filters = config.count("filters");
  const { activation, bias } = readEnding(config, filters);
  config.ignore("kernel_initializer", "rank");
  config.refuse("kernel_constraint");
  const { kernelRows, kernelColumns, channels, outHeight, outWidth } = windows;
  const size = axes === 1 ? [kernelColumns] : [kernelRows, kernelColumns];
  const regularizer = config.regularizer("kernel_regularizer");
  const kernel = { name: "kernel", shape: [...size, channels, filters], trainable: true, regularizer };
  return {
    output: outputOf(windows, axes, filters),
    params: [kernel, ...bias],
    emit(site) {
      const {
        kernels,
        x: [x = 0],
        y,
        dx: [dx = 0],
        dy,
        params,
        gradients,
      } = site;
      const [w = 0, b = 0] = params;
      const [dw = 0, db = 0] = gradients;
      const padded = padInput(site, windows);
      const source = padded.place(x);
      const run = kernelColumns * channels;
      const shape = [outHeight, outWidth, kernelRows, run, filters] as const;
      const backToInput = dx === 0 ? undefined : inputGradient(site, windows, filters);
      return {
        forward(rows) {
          padded.fill(x, rows);
          kernels.convolve(...source, w, b, y, rows, ...shape);
          activation.forward(kernels, y, rows * outHeight * outWidth, filters);
        },
        backward(rows) {
          const lines = rows * outHeight * outWidth;
          activation.backward(kernels, y, dy, lines, filters);
          if (dw !== 0) kernels.convolveFilter(...source, dy, dw, rows, ...shape);
          if (db !== 0) kernels.columnSums(dy, filters * 4, db, lines, filters);
          backToInput?.(w, dy, dx, rows);
        },
      };
    },
  };
}

/** Images with a border of zeros, when windows reach outside; else the input itself. */
export function padInput({ kernels, allocate, capacity }: Site, windows: Windows) {
  const { height, width, channels, top, left, paddedHeight, paddedWidth, down, right } = windows;
  const pixel = channels * 4;
  const row = paddedWidth * pixel;
  const image = paddedHeight * row;
  const isPadded = paddedHeight !== height || paddedWidth !== width;
  const buffer = isPadded ? allocate((capacity * image) / 4) : 0;
  const inner = buffer + top * row + left * pixel;
  const flat = [width * pixel * height, width * pixel, pixel] as const;
  return {
    /** Address, image, row, down and right strides, as the kernels take them. */
    place: (x: number) => [isPadded ? buffer : x, image, row, down * row, right * pixel] as const,
    fill(x: number, rows: number) {
      if (isPadded) kernels.placeImages(x, ...flat, inner, image, row, pixel, rows, height, width, pixel);
    },
    /** The inverse: what lies inside the border, from a buffer of the same layout. */
    crop(from: number, dx: number, rows: number) {
      const start = from + top * row + left * pixel;
      kernels.placeImages(start, image, row, pixel, dx, ...flat, rows, height, width, pixel);
    },
    bytes: (rows: number) => rows * image,
  };
}

// dx is a convolution too: of dy, its strides undone and bordered with zeros, with the kernel turned around.
function inputGradient({ kernels, allocate, capacity }: Site, windows: Windows, filters: number) {
  const { height, width, channels, kernelRows, kernelColumns, down, right, top, left } = windows;
  const { outHeight, outWidth, paddedHeight, paddedWidth } = windows;
  const cell = filters * 4;
  const row = (paddedWidth + kernelColumns - 1) * cell;
  const image = (paddedHeight + kernelRows - 1) * row;
  const spread = allocate((capacity * image) / 4);
  const turned = allocate(kernelRows * kernelColumns * channels * filters);
  const first = spread + (kernelRows - 1) * row + (kernelColumns - 1) * cell;
  const start = spread + top * row + left * cell;
  const taps = kernelRows * kernelColumns;
  const block = channels * filters * 4;
  return (w: number, dy: number, dx: number, rows: number) => {
    for (let tap = 0; tap < taps; tap++)
      kernels.transpose(w + tap * block, cell, turned + (taps - 1 - tap) * block, channels, filters);
    const from = [dy, outHeight * outWidth * cell, outWidth * cell, cell] as const;
    kernels.placeImages(...from, first, image, down * row, right * cell, rows, outHeight, outWidth, cell);
    const shape = [height, width, kernelRows, kernelColumns * filters, channels] as const;
    kernels.convolve(start, image, row, row, cell, turned, 0, dx, rows, ...shape);
  };
}
