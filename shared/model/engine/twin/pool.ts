// assembly/pool.ts and assembly/embedding.ts in plain JavaScript, bit for bit.

import { larger, r } from "./math.js";

/** The kernels of pools and tables over `f`. */
export function poolTwin(f: Float32Array) {
  return {
    pool(
      isMax: number,
      x: number,
      y: number,
      images: number,
      height: number,
      width: number,
      channels: number,
      outHeight: number,
      outWidth: number,
      poolRows: number,
      poolColumns: number,
      down: number,
      right: number,
      top: number,
      left: number,
    ): void {
      let to = y / 4;
      for (let image = 0; image < images; image++)
        for (let row = 0; row < outHeight; row++)
          for (let column = 0; column < outWidth; column++, to += channels) {
            const [i0, i1] = span(row * down - top, poolRows, height);
            const [j0, j1] = span(column * right - left, poolColumns, width);
            const count = (i1 - i0) * (j1 - j0);
            for (let c = 0; c < channels; c++) {
              let best = isMax ? f[x / 4 + ((image * height + i0) * width + j0) * channels + c]! : 0;
              for (let i = i0; i < i1; i++)
                for (let j = j0; j < j1; j++) {
                  const value = f[x / 4 + ((image * height + i) * width + j) * channels + c]!;
                  best = isMax ? larger(best, value) : r(best + value);
                }
              f[to + c] = isMax ? best : best / count;
            }
          }
    },
    poolBack(
      isMax: number,
      x: number,
      y: number,
      dy: number,
      dx: number,
      images: number,
      height: number,
      width: number,
      channels: number,
      outHeight: number,
      outWidth: number,
      poolRows: number,
      poolColumns: number,
      down: number,
      right: number,
      top: number,
      left: number,
    ): void {
      const overlap = down < poolRows || right < poolColumns;
      f.fill(0, dx / 4, dx / 4 + images * height * width * channels);
      let at = 0;
      for (let image = 0; image < images; image++)
        for (let row = 0; row < outHeight; row++)
          for (let column = 0; column < outWidth; column++, at += channels) {
            const [i0, i1] = span(row * down - top, poolRows, height);
            const [j0, j1] = span(column * right - left, poolColumns, width);
            const count = (i1 - i0) * (j1 - j0);
            for (let c = 0; c < channels; c++) {
              const slope = f[dy / 4 + at + c]!;
              const best = f[y / 4 + at + c]!;
              let isOpen = true;
              for (let i = i0; i < i1; i++)
                for (let j = j0; j < j1; j++) {
                  const place = ((image * height + i) * width + j) * channels + c;
                  const isHit = isOpen && f[x / 4 + place] === best;
                  if (isHit && isMax === 1) isOpen = false;
                  const part = isMax ? (isHit ? slope : 0) : r(slope / count);
                  f[dx / 4 + place] = overlap ? f[dx / 4 + place]! + part : part;
                }
            }
          }
    },
    gather(x: number, table: number, y: number, count: number, size: number, width: number): number {
      for (let i = 0; i < count; i++) {
        const index = f[x / 4 + i]!;
        if (!(index >= 0 && index < size)) return i;
        const from = table / 4 + Math.floor(index) * width;
        f.copyWithin(y / 4 + i * width, from, from + width);
      }
      return count;
    },
    scatter(x: number, dy: number, dtable: number, count: number, size: number, width: number): void {
      f.fill(0, dtable / 4, dtable / 4 + size * width);
      for (let i = 0; i < count; i++) {
        const row = dtable / 4 + Math.floor(f[x / 4 + i]!) * width;
        for (let j = 0; j < width; j++) f[row + j]! += f[dy / 4 + i * width + j]!;
      }
    },
  };
}

function span(start: number, size: number, length: number): [number, number] {
  return [Math.max(0, start), Math.min(length, start + size)];
}
