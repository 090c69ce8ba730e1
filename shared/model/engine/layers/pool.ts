// Pooling layers, of sequences and images, and over everything.

import type { LayerKind, LayerPlan, Shape } from "../layer.js";
import { single } from "../layer.js";
import { outputOf, readWindows, type Windows, wholeWindow } from "./image.js";

/** tfjs `layers.maxPooling1d` and its like. */
export function pooling(axes: 1 | 2, isMax: boolean): LayerKind {
  return (config, inputs) => {
    const windows = readWindows(config, single(inputs), axes, "pool_size");
    return planPool(windows, outputOf(windows, axes, windows.channels), isMax ? FIRST_LARGEST : 0);
  };
}

/** tfjs `layers.globalAveragePooling1d` and its like. */
export function globalPooling(axes: 1 | 2, isMax: boolean): LayerKind {
  return (config, inputs) => {
    config.choice("data_format", ["channels_last", "channelsLast"], "channels_last");
    const windows = wholeWindow(single(inputs), axes);
    return planPool(windows, [windows.channels], isMax ? ALL_LARGEST : 0);
  };
}

// Who gets the gradient of a maximum: tfjs gives that of a window to the first, that of a whole input to all.
const FIRST_LARGEST = 1;
const ALL_LARGEST = 2;

function planPool(windows: Windows, output: Shape, kind: number): LayerPlan {
  const { height, width, channels, outHeight, outWidth, kernelRows, kernelColumns } = windows;
  const { down, right, top, left } = windows;
  const place = [height, width, channels, outHeight, outWidth, kernelRows, kernelColumns] as const;
  const steps = [down, right, top, left] as const;
  return {
    output,
    params: [],
    emit: ({ kernels, x: [x = 0], y, dx: [dx = 0], dy }) => ({
      forward: (rows) => kernels.pool(kind, x, y, rows, ...place, ...steps),
      backward(rows) {
        if (dx !== 0) kernels.poolBack(kind, x, y, dy, dx, rows, ...place, ...steps);
      },
    }),
  };
}
