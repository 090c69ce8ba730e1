// assembly/gemm.ts, assembly/convolution.ts in plain JavaScript, bit for bit: the same blocks, summed in the same order.

import { r } from "./math.js";

const BLOCK = 256;
/** Where sums start: -0 + p is p for every p, so this is as if the first product started them. */
const START = -0;

/** The kernels of products and convolutions over `f`. */
export function productTwin(f: Float32Array) {
  // Arguments as of the kernel.
  function gemm(
    a: number,
    aRow: number,
    aStep: number,
    aSegment: number,
    b: number,
    bStep: number,
    bSegment: number,
    c: number,
    cRow: number,
    add: number,
    addRow: number,
    rows: number,
    columns: number,
    length: number,
    segments: number,
  ): void {
    const aStep4 = aStep / 4;
    const bStep4 = bStep / 4;
    const isCut = segments === 1;
    const total = isCut ? length : segments;
    const most = isCut ? BLOCK : Math.max(1, Math.floor(BLOCK / Math.max(1, length)));
    const [aJump, bJump] = isCut ? [aStep, bStep] : [aSegment, bSegment];
    for (let done = 0; done < total; done += most) {
      const part = Math.min(most, total - done);
      const [inner, outer] = isCut ? [part, 1] : [length, part];
      const from = done === 0 ? add : c;
      const fromRow = done === 0 ? addRow : cRow;
      const b0 = (b + done * bJump) / 4;
      for (let i = 0; i < rows; i++) {
        const a0 = (a + done * aJump + i * aRow) / 4;
        const to = (c + i * cRow) / 4;
        const base = (from + i * fromRow) / 4;
        let j = 0;
        // Four sums at once stay in registers.
        for (; j + 4 <= columns; j += 4) {
          let [s0, s1, s2, s3] = [START, START, START, START];
          for (let s = 0; s < outer; s++) {
            let aAt = a0 + (s * aSegment) / 4;
            let bAt = b0 + (s * bSegment) / 4 + j;
            for (let k = 0; k < inner; k++) {
              const x = f[aAt]!;
              s0 = r(s0 + r(x * f[bAt]!));
              s1 = r(s1 + r(x * f[bAt + 1]!));
              s2 = r(s2 + r(x * f[bAt + 2]!));
              s3 = r(s3 + r(x * f[bAt + 3]!));
              aAt += aStep4;
              bAt += bStep4;
            }
          }
          f[to + j] = (from === 0 ? 0 : f[base + j]!) + s0;
          f[to + j + 1] = (from === 0 ? 0 : f[base + j + 1]!) + s1;
          f[to + j + 2] = (from === 0 ? 0 : f[base + j + 2]!) + s2;
          f[to + j + 3] = (from === 0 ? 0 : f[base + j + 3]!) + s3;
        }
        for (; j < columns; j++) {
          let sum = START;
          for (let s = 0; s < outer; s++) {
            let aAt = a0 + (s * aSegment) / 4;
            let bAt = b0 + (s * bSegment) / 4 + j;
            for (let k = 0; k < inner; k++) {
              sum = r(sum + r(f[aAt]! * f[bAt]!));
              aAt += aStep4;
              bAt += bStep4;
            }
          }
          f[to + j] = (from === 0 ? 0 : f[base + j]!) + sum;
        }
      }
    }
  }

  return {
    gemm,
    placeImages(
      src: number,
      srcImage: number,
      srcRow: number,
      srcPixel: number,
      dst: number,
      dstImage: number,
      dstRow: number,
      dstPixel: number,
      images: number,
      rows: number,
      pixels: number,
      bytes: number,
    ): void {
      for (let image = 0; image < images; image++)
        for (let row = 0; row < rows; row++)
          for (let pixel = 0; pixel < pixels; pixel++) {
            const from = (src + image * srcImage + row * srcRow + pixel * srcPixel) / 4;
            const to = (dst + image * dstImage + row * dstRow + pixel * dstPixel) / 4;
            f.copyWithin(to, from, from + bytes / 4);
          }
    },
    convolve(
      x: number,
      xImage: number,
      xRow: number,
      down: number,
      right: number,
      w: number,
      bias: number,
      y: number,
      images: number,
      height: number,
      width: number,
      kernelRows: number,
      run: number,
      filters: number,
    ): void {
      const cell = filters * 4;
      for (let image = 0; image < images; image++)
        for (let row = 0; row < height; row++) {
          const from = x + image * xImage + row * down;
          const to = y + (image * height + row) * width * cell;
          gemm(from, right, 4, xRow, w, cell, run * cell, to, cell, bias, 0, width, filters, run, kernelRows);
        }
    },
    convolveFilter(
      x: number,
      xImage: number,
      xRow: number,
      down: number,
      right: number,
      dy: number,
      dw: number,
      images: number,
      height: number,
      width: number,
      kernelRows: number,
      run: number,
      filters: number,
    ): void {
      const cell = filters * 4;
      const dyRow = width * cell;
      f.fill(0, dw / 4, dw / 4 + kernelRows * run * filters);
      for (let image = 0; image < images; image++)
        for (let k = 0; k < kernelRows; k++) {
          const to = dw + k * run * cell;
          const from = x + image * xImage + k * xRow;
          const slopes = dy + image * height * dyRow;
          gemm(from, 4, right, down, slopes, cell, dyRow, to, cell, to, cell, run, filters, width, height);
        }
    },
    depthwise(
      x: number,
      xImage: number,
      xRow: number,
      down: number,
      right: number,
      w: number,
      bias: number,
      y: number,
      images: number,
      height: number,
      width: number,
      kernelRows: number,
      kernelColumns: number,
      channels: number,
      multiplier: number,
    ): void {
      const filters = channels * multiplier;
      let to = y / 4;
      for (let image = 0; image < images; image++)
        for (let row = 0; row < height; row++)
          for (let column = 0; column < width; column++, to += filters) {
            const corner = (x + image * xImage + row * down + column * right) / 4;
            for (let q = 0; q < filters; q++) {
              const channel = Math.floor(q / multiplier);
              let sum = 0;
              for (let i = 0; i < kernelRows; i++)
                for (let j = 0; j < kernelColumns; j++) {
                  const value = f[corner + (i * xRow) / 4 + j * channels + channel]!;
                  sum = r(sum + r(value * f[w / 4 + (i * kernelColumns + j) * filters + q]!));
                }
              f[to + q] = (bias === 0 ? 0 : f[bias / 4 + q]!) + sum;
            }
          }
    },
    depthwiseBack(
      x: number,
      xImage: number,
      xRow: number,
      down: number,
      right: number,
      w: number,
      dy: number,
      dw: number,
      dx: number,
      bytes: number,
      images: number,
      height: number,
      width: number,
      kernelRows: number,
      kernelColumns: number,
      channels: number,
      multiplier: number,
    ): void {
      const filters = channels * multiplier;
      f.fill(0, dw / 4, dw / 4 + kernelRows * kernelColumns * filters);
      if (dx !== 0) f.fill(0, dx / 4, (dx + bytes) / 4);
      let from = dy / 4;
      for (let image = 0; image < images; image++)
        for (let row = 0; row < height; row++)
          for (let column = 0; column < width; column++, from += filters) {
            const corner = (image * xImage + row * down + column * right) / 4;
            for (let i = 0; i < kernelRows; i++)
              for (let j = 0; j < kernelColumns; j++)
                for (let q = 0; q < filters; q++) {
                  const at = corner + (i * xRow) / 4 + j * channels + Math.floor(q / multiplier);
                  const tap = (i * kernelColumns + j) * filters + q;
                  const slope = f[from + q]!;
                  f[dw / 4 + tap]! += r(f[x / 4 + at]! * slope);
                  if (dx !== 0) f[dx / 4 + at]! += r(f[w / 4 + tap]! * slope);
                }
          }
    },
  };
}
