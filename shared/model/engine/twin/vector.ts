// assembly/vector.ts in plain JavaScript, bit for bit.

import { r } from "./math.js";

const BLOCK = 256;
const GOLDEN = 0x9e3779b9;

/** The kernels of moves and sums over `f`. */
export function vectorTwin(f: Float32Array) {
  return {
    scale(x: number, count: number, factor: number): void {
      for (let i = 0; i < count; i++) f[x / 4 + i] = f[x / 4 + i]! * r(factor);
    },
    add(a: number, b: number, dst: number, count: number): void {
      for (let i = 0; i < count; i++) f[dst / 4 + i] = f[a / 4 + i]! + f[b / 4 + i]!;
    },
    copyRows(src: number, srcRow: number, dst: number, dstRow: number, rows: number, bytes: number): void {
      for (let row = 0; row < rows; row++) {
        const from = (src + row * srcRow) / 4;
        f.copyWithin((dst + row * dstRow) / 4, from, from + bytes / 4);
      }
    },
    zero(dst: number, bytes: number): void {
      f.fill(0, dst / 4, (dst + bytes) / 4);
    },
    transpose(src: number, srcRow: number, dst: number, rows: number, columns: number): void {
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++) f[dst / 4 + j * rows + i] = f[(src + i * srcRow) / 4 + j]!;
    },
    columnSums(x: number, xRow: number, dst: number, rows: number, columns: number): void {
      for (let j = 0; j < columns; j++) {
        let total = 0;
        for (let done = 0; done < rows; done += BLOCK) {
          let sum = 0;
          const end = Math.min(rows, done + BLOCK);
          for (let row = done; row < end; row++) sum = r(sum + f[(x + row * xRow) / 4 + j]!);
          total = r(total + sum);
        }
        f[dst / 4 + j] = total;
      }
    },
    firstNotFinite(x: number, count: number): number {
      for (let i = 0; i < count; i++) if (f[x / 4 + i]! * 0 !== 0) return i;
      return count;
    },
    dropout(
      x: number,
      dst: number,
      count: number,
      seed: number,
      step: number,
      threshold: number,
      factor: number,
    ): void {
      const base = mix(seed ^ mix(step + GOLDEN));
      for (let i = 0; i < count; i++) {
        const isKept = mix(base + Math.imul(i, GOLDEN)) >= threshold;
        f[dst / 4 + i] = isKept ? f[x / 4 + i]! * r(factor) : 0;
      }
    },
  };
}

function mix(given: number): number {
  let h = given >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
