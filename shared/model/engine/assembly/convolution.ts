// Convolutions over NHWC images, as products: a row of the image is read in place, overlapping, so nothing is unrolled.

import { gemm } from "./gemm";
import { mulAdd, storePart } from "./lane";

/**
 * Copies pixels of `bytes` from one spacing to another: `images` x `rows` x `pixels`. All strides in bytes. Pads,
 * crops and spreads (a stride undone).
 */
export function placeImages(
  src: usize, srcImage: usize, srcRow: usize, srcPixel: usize,
  dst: usize, dstImage: usize, dstRow: usize, dstPixel: usize,
  images: usize, rows: usize, pixels: usize, bytes: usize,
): void {
  const isDense = srcPixel == bytes && dstPixel == bytes;
  for (let image: usize = 0; image < images; image++)
    for (let row: usize = 0; row < rows; row++) {
      let from = src + image * srcImage + row * srcRow;
      let to = dst + image * dstImage + row * dstRow;
      if (isDense) {
        memory.copy(to, from, pixels * bytes);
        continue;
      }
      for (let pixel = pixels; pixel > 0; pixel--) {
        memory.copy(to, from, bytes);
        from += srcPixel;
        to += dstPixel;
      }
    }
}

/**
 * y = bias + x * w, without padding. x: `images` images, `xImage` bytes apart, of rows `xRow` bytes apart; y dense,
 * `height` x `width` x `filters`. w: kernel rows x (kernel width x channels) x filters; `run` = kernel width x channels.
 * `down`, `right`: strides in bytes of x.
 */
export function convolve(
  x: usize, xImage: usize, xRow: usize, down: usize, right: usize,
  w: usize, bias: usize, y: usize,
  images: usize, height: usize, width: usize, kernelRows: usize, run: usize, filters: usize,
): void {
  const cell = filters << 2;
  for (let image: usize = 0; image < images; image++)
    for (let row: usize = 0; row < height; row++) {
      const from = x + image * xImage + row * down;
      gemm(from, right, 4, xRow, w, cell, run * cell, y, cell, bias, 0, width, filters, run, kernelRows);
      y += width * cell;
    }
}

/** dw = sum over all places of x and dy, shapes as in `convolve`. */
export function convolveFilter(
  x: usize, xImage: usize, xRow: usize, down: usize, right: usize,
  dy: usize, dw: usize,
  images: usize, height: usize, width: usize, kernelRows: usize, run: usize, filters: usize,
): void {
  const cell = filters << 2;
  const dyRow = width * cell;
  memory.fill(dw, 0, kernelRows * run * cell);
  for (let image: usize = 0; image < images; image++)
    for (let k: usize = 0; k < kernelRows; k++) {
      const to = dw + k * run * cell;
      const from = x + image * xImage + k * xRow;
      gemm(from, 4, right, down, dy + image * height * dyRow, cell, dyRow, to, cell, to, cell, run, filters, width, height);
    }
}

/**
 * Depthwise: every channel has `multiplier` filters of its own. y[c m + q] = bias + sum x[c] w[.., c, q]. Arguments
 * as in `convolve`, with the kernel's own height and width.
 */
export function depthwise(
  x: usize, xImage: usize, xRow: usize, down: usize, right: usize,
  w: usize, bias: usize, y: usize,
  images: usize, height: usize, width: usize, kernelRows: usize, kernelColumns: usize,
  channels: usize, multiplier: usize,
): void {
  const filters = channels * multiplier;
  const pixel = channels << 2;
  for (let image: usize = 0; image < images; image++)
    for (let row: usize = 0; row < height; row++)
      for (let column: usize = 0; column < width; column++) {
        const corner = x + image * xImage + row * down + column * right;
        for (let f: usize = 0; f < filters; f += 4) {
          let sum = f32x4.splat(0);
          let tap = w + (f << 2);
          for (let i: usize = 0; i < kernelRows; i++)
            for (let j: usize = 0; j < kernelColumns; j++) {
              sum = mulAdd(sum, spread(corner + i * xRow + j * pixel, f, multiplier), v128.load(tap));
              tap += filters << 2;
            }
          storePart(y + (f << 2), f32x4.add(v128.load(bias + (bias == 0 ? 0 : f << 2)), sum), filters - f);
        }
        y += filters << 2;
      }
}

/** dw, and dx into a padded image that is zeroed first (0: not wanted). `bytes`: of all of dx. */
export function depthwiseBack(
  x: usize, xImage: usize, xRow: usize, down: usize, right: usize,
  w: usize, dy: usize, dw: usize, dx: usize, bytes: usize,
  images: usize, height: usize, width: usize, kernelRows: usize, kernelColumns: usize,
  channels: usize, multiplier: usize,
): void {
  const filters = channels * multiplier;
  const pixel = channels << 2;
  memory.fill(dw, 0, (kernelRows * kernelColumns * filters) << 2);
  if (dx != 0) memory.fill(dx, 0, bytes);
  for (let image: usize = 0; image < images; image++)
    for (let row: usize = 0; row < height; row++)
      for (let column: usize = 0; column < width; column++) {
        const corner = image * xImage + row * down + column * right;
        for (let i: usize = 0; i < kernelRows; i++)
          for (let j: usize = 0; j < kernelColumns; j++) {
            const at = corner + i * xRow + j * pixel;
            const tap = (i * kernelColumns + j) * filters;
            for (let f: usize = 0; f < filters; f++) {
              const slope = load<f32>(dy + (f << 2));
              const weight = (tap + f) << 2;
              const channel = at + ((f / multiplier) << 2);
              store<f32>(dw + weight, load<f32>(dw + weight) + load<f32>(x + channel) * slope);
              if (dx != 0) store<f32>(dx + channel, load<f32>(dx + channel) + load<f32>(w + weight) * slope);
            }
          }
        dy += filters << 2;
      }
}

// Four channels of x, each as often as it has filters.
// @ts-ignore: decorator
@inline
function spread(pixel: usize, f: usize, multiplier: usize): v128 {
  if (multiplier == 1) return v128.load(pixel + (f << 2));
  return f32x4(
    load<f32>(pixel + ((f / multiplier) << 2)),
    load<f32>(pixel + (((f + 1) / multiplier) << 2)),
    load<f32>(pixel + (((f + 2) / multiplier) << 2)),
    load<f32>(pixel + (((f + 3) / multiplier) << 2)),
  );
}
