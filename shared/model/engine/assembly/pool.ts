// Pooling over NHWC images. What lies outside an image counts for nothing: neither as a maximum nor in a mean.

import { storePart } from "./lane";

/**
 * y = maximum (isMax) or mean over windows of `poolRows` x `poolColumns`, strides `down` and `right` in pixels, the first
 * window `top` and `left` pixels outside. x: images of height x width x channels, y: outHeight x outWidth, both dense.
 */
export function pool(
  isMax: i32, x: usize, y: usize, images: usize, height: i32, width: i32, channels: usize,
  outHeight: i32, outWidth: i32, poolRows: i32, poolColumns: i32, down: i32, right: i32, top: i32, left: i32,
): void {
  const pixel = channels << 2;
  const line = <usize>width * pixel;
  for (let image: usize = 0; image < images; image++) {
    for (let row = 0; row < outHeight; row++) {
      const i0 = max<i32>(0, row * down - top);
      const i1 = min<i32>(height, row * down - top + poolRows);
      for (let column = 0; column < outWidth; column++) {
        const j0 = max<i32>(0, column * right - left);
        const j1 = min<i32>(width, column * right - left + poolColumns);
        const corner = x + <usize>(i0 * width + j0) * pixel;
        const across = <usize>(j1 - j0) * pixel;
        if (isMax != 0) largest(corner, y, i1 - i0, across, line, pixel);
        else mean(corner, y, i1 - i0, across, line, pixel, <f32>((i1 - i0) * (j1 - j0)));
        y += pixel;
      }
    }
    x += <usize>(height * width) * pixel;
  }
}

// A window: `rows` lines, `across` bytes of each, pixel by pixel. Of values that do not compare (NaN), the first counts.
// @ts-ignore: decorator
@inline
function largest(corner: usize, y: usize, rows: i32, across: usize, line: usize, pixel: usize): void {
  for (let c: usize = 0; c < pixel; c += 16) {
    let best = v128.load(corner + c);
    let from = corner + c;
    for (let i = rows; i > 0; i--) {
      for (let at = from; at < from + across; at += pixel) best = f32x4.pmax(best, v128.load(at));
      from += line;
    }
    storePart(y + c, best, (pixel - c) >> 2);
  }
}

// @ts-ignore: decorator
@inline
function mean(corner: usize, y: usize, rows: i32, across: usize, line: usize, pixel: usize, count: f32): void {
  for (let c: usize = 0; c < pixel; c += 16) {
    let sum = f32x4.splat(0);
    let from = corner + c;
    for (let i = rows; i > 0; i--) {
      for (let at = from; at < from + across; at += pixel) sum = f32x4.add(sum, v128.load(at));
      from += line;
    }
    storePart(y + c, f32x4.div(sum, f32x4.splat(count)), (pixel - c) >> 2);
  }
}

/**
 * dx from dy, arguments as in `pool`: to the first of the largest (isMax 1), to all that are as large (2, as tfjs
 * does over the whole input), or an equal share to each (0). dx is zeroed first.
 */
export function poolBack(
  isMax: i32, x: usize, y: usize, dy: usize, dx: usize, images: usize, height: i32, width: i32, channels: usize,
  outHeight: i32, outWidth: i32, poolRows: i32, poolColumns: i32, down: i32, right: i32, top: i32, left: i32,
): void {
  const pixel = channels << 2;
  const line = <usize>width * pixel;
  const imageBytes = <usize>height * line;
  const overlap = down < poolRows || right < poolColumns;
  memory.fill(dx, 0, images * imageBytes);
  for (let image: usize = 0; image < images; image++) {
    for (let row = 0; row < outHeight; row++) {
      const i0 = max<i32>(0, row * down - top);
      const i1 = min<i32>(height, row * down - top + poolRows);
      for (let column = 0; column < outWidth; column++) {
        const j0 = max<i32>(0, column * right - left);
        const j1 = min<i32>(width, column * right - left + poolColumns);
        const corner = <usize>(i0 * width + j0) * pixel;
        const across = <usize>(j1 - j0) * pixel;
        if (isMax != 0) largestBack(isMax, x + corner, y, dy, dx + corner, i1 - i0, across, line, pixel, overlap);
        else meanBack(dy, dx + corner, i1 - i0, across, line, pixel, <f32>((i1 - i0) * (j1 - j0)), overlap);
        y += pixel;
        dy += pixel;
      }
    }
    x += imageBytes;
    dx += imageBytes;
  }
}

// @ts-ignore: decorator
@inline
function largestBack(
  isMax: i32, x: usize, y: usize, dy: usize, dx: usize, rows: i32, across: usize, line: usize, pixel: usize,
  overlap: bool,
): void {
  for (let c: usize = 0; c < pixel; c += 16) {
    const slope = v128.load(dy + c);
    const best = v128.load(y + c);
    let open = i32x4.splat(-1);
    let from = c;
    for (let i = rows; i > 0; i--) {
      for (let at = from; at < from + across; at += pixel) {
        const hit = v128.and(f32x4.eq(v128.load(x + at), best), open);
        if (isMax == 1) open = v128.andnot(open, hit);
        spread(dx + at, v128.and(slope, hit), (pixel - c) >> 2, overlap);
      }
      from += line;
    }
  }
}

// @ts-ignore: decorator
@inline
function meanBack(
  dy: usize, dx: usize, rows: i32, across: usize, line: usize, pixel: usize, count: f32, overlap: bool,
): void {
  for (let c: usize = 0; c < pixel; c += 16) {
    const share = f32x4.div(v128.load(dy + c), f32x4.splat(count));
    let from = dx + c;
    for (let i = rows; i > 0; i--) {
      for (let at = from; at < from + across; at += pixel) spread(at, share, (pixel - c) >> 2, overlap);
      from += line;
    }
  }
}

// Only where windows overlap is something there already.
// @ts-ignore: decorator
@inline
function spread(dx: usize, part: v128, width: usize, overlap: bool): void {
  storePart(dx, overlap ? f32x4.add(v128.load(dx), part) : part, width);
}
