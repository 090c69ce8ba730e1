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
  for (let image: usize = 0; image < images; image++) {
    for (let row = 0; row < outHeight; row++) {
      const i0 = max<i32>(0, row * down - top);
      const i1 = min<i32>(height, row * down - top + poolRows);
      for (let column = 0; column < outWidth; column++) {
        const j0 = max<i32>(0, column * right - left);
        const j1 = min<i32>(width, column * right - left + poolColumns);
        const count = f32x4.splat(<f32>((i1 - i0) * (j1 - j0)));
        for (let c: usize = 0; c < channels; c += 4) {
          let best = f32x4.splat(isMax != 0 ? -Infinity : 0);
          for (let i = i0; i < i1; i++)
            for (let j = j0; j < j1; j++) {
              const value = v128.load(x + <usize>(i * width + j) * pixel + (c << 2));
              best = isMax != 0 ? f32x4.max(best, value) : f32x4.add(best, value);
            }
          storePart(y + (c << 2), isMax != 0 ? best : f32x4.div(best, count), channels - c);
        }
        y += pixel;
      }
    }
    x += <usize>(height * width) * pixel;
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
  const imageBytes = <usize>(height * width) * pixel;
  memory.fill(dx, 0, images * imageBytes);
  for (let image: usize = 0; image < images; image++) {
    for (let row = 0; row < outHeight; row++) {
      const i0 = max<i32>(0, row * down - top);
      const i1 = min<i32>(height, row * down - top + poolRows);
      for (let column = 0; column < outWidth; column++) {
        const j0 = max<i32>(0, column * right - left);
        const j1 = min<i32>(width, column * right - left + poolColumns);
        const count = f32x4.splat(<f32>((i1 - i0) * (j1 - j0)));
        for (let c: usize = 0; c < channels; c += 4) {
          const at = c << 2;
          const slope = v128.load(dy + at);
          const best = v128.load(y + at);
          const share = f32x4.div(slope, count);
          let open = i32x4.splat(-1);
          for (let i = i0; i < i1; i++)
            for (let j = j0; j < j1; j++) {
              const place = <usize>(i * width + j) * pixel + at;
              let part = share;
              if (isMax != 0) {
                const hit = v128.and(f32x4.eq(v128.load(x + place), best), open);
                if (isMax == 1) open = v128.andnot(open, hit);
                part = v128.and(slope, hit);
              }
              storePart(dx + place, f32x4.add(v128.load(dx + place), part), channels - c);
            }
        }
        y += pixel;
        dy += pixel;
      }
    }
    x += imageBytes;
    dx += imageBytes;
  }
}
