// Where windows lie over an image of height x width x channels: shared by convolutions and pools. A sequence of
// steps x channels is an image of one row.

import type { Config } from "../config.js";
import { Unsupported } from "../config.js";
import type { Shape } from "../layer.js";

/** An image and the windows over it; pixels throughout. */
export interface Windows {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly kernelRows: number;
  readonly kernelColumns: number;
  readonly down: number;
  readonly right: number;
  /** Padding before the first row and column. */
  readonly top: number;
  readonly left: number;
  readonly outHeight: number;
  readonly outWidth: number;
  /** Rows and columns that windows reach, padding included; at least those of the image. */
  readonly paddedHeight: number;
  readonly paddedWidth: number;
}

/** Reads size, strides and padding. `axes` is 1 for sequences, 2 for images. Throws Unsupported. */
export function readWindows(config: Config, input: Shape, axes: 1 | 2, sizeKey: string): Windows {
  checkRank(input, axes);
  config.choice("data_format", ["channels_last", "channelsLast"], "channels_last");
  const size = config.counts(sizeKey, axes, sizeKey === "pool_size" ? 2 : undefined);
  const strides = config.counts("strides", axes, sizeKey === "pool_size" ? size : 1);
  const isSame = config.choice("padding", ["valid", "same"], "valid") === "same";
  const [height, width, channels] = imageOf(input);
  const [kernelRows, kernelColumns] = axes === 1 ? [1, size[0]!] : [size[0]!, size[1]!];
  const [down, right] = axes === 1 ? [1, strides[0]!] : [strides[0]!, strides[1]!];
  const vertical = along(height, kernelRows, down, isSame);
  const horizontal = along(width, kernelColumns, right, isSame);
  if (vertical.out < 1 || horizontal.out < 1)
    throw new Unsupported(`option ${sizeKey} [${size.join(", ")}] on an input of [${input.join(", ")}]`);
  return {
    ...{ height, width, channels, kernelRows, kernelColumns, down, right },
    ...{ top: vertical.before, left: horizontal.before, outHeight: vertical.out, outWidth: horizontal.out },
    ...{ paddedHeight: vertical.padded, paddedWidth: horizontal.padded },
  };
}

/** One window over the whole input. */
export function wholeWindow(input: Shape, axes: 1 | 2): Windows {
  checkRank(input, axes);
  const [height, width, channels] = imageOf(input);
  return {
    ...{
      height,
      width,
      channels,
      kernelRows: height,
      kernelColumns: width,
      down: 1,
      right: 1,
      top: 0,
      left: 0,
    },
    ...{ outHeight: 1, outWidth: 1, paddedHeight: height, paddedWidth: width },
  };
}

/** The shape of what windows give. */
export function outputOf({ outHeight, outWidth }: Windows, axes: 1 | 2, channels: number): Shape {
  return axes === 1 ? [outWidth, channels] : [outHeight, outWidth, channels];
}

function checkRank(input: Shape, axes: number): void {
  if (input.length !== axes + 1)
    throw new Unsupported(`an input of [${input.join(", ")}], expected ${axes + 1} axes`);
}

function imageOf(input: Shape): [number, number, number] {
  return input.length === 2 ? [1, input[0]!, input[1]!] : [input[0]!, input[1]!, input[2]!];
}

// tfjs, conv_util.js: "same" pads so that there are ceil(length / stride) windows, the odd pixel behind.
function along(length: number, kernel: number, stride: number, isSame: boolean) {
  if (!isSame) return { out: Math.floor((length - kernel) / stride) + 1, before: 0, padded: length };
  const out = Math.ceil(length / stride);
  const reach = (out - 1) * stride + kernel;
  const before = Math.floor(Math.max(0, reach - length) / 2);
  return { out, before, padded: Math.max(length, reach) };
}
