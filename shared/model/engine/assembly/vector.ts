// Moves and sums.

import { storePart } from "./lane";

/** x *= factor. */
export function scale(x: usize, count: usize, factor: f32): void {
  const f = f32x4.splat(factor);
  for (let i: usize = 0; i < count; i += 4)
    storePart(x + (i << 2), f32x4.mul(v128.load(x + (i << 2)), f), count - i);
}

/** dst = a + b; dst may be either. */
export function add(a: usize, b: usize, dst: usize, count: usize): void {
  for (let i: usize = 0; i < count; i += 4) {
    const at = i << 2;
    storePart(dst + at, f32x4.add(v128.load(a + at), v128.load(b + at)), count - i);
  }
}

/** `rows` runs of `bytes` bytes from one stride to another. */
export function copyRows(src: usize, srcRow: usize, dst: usize, dstRow: usize, rows: usize, bytes: usize): void {
  for (; rows > 0; rows--) {
    memory.copy(dst, src, bytes);
    src += srcRow;
    dst += dstRow;
  }
}

/** `bytes` zero bytes. */
export function zero(dst: usize, bytes: usize): void {
  memory.fill(dst, 0, bytes);
}

/** dst (columns x rows, dense) = src (rows x columns, `srcRow` bytes from row to row), transposed. */
export function transpose(src: usize, srcRow: usize, dst: usize, rows: usize, columns: usize): void {
  const dstRow = rows << 2;
  let i: usize = 0;
  for (; i + 4 <= rows; i += 4) {
    let from = src + i * srcRow;
    let to = dst + (i << 2);
    let j: usize = 0;
    for (; j + 4 <= columns; j += 4) {
      const r0 = v128.load(from);
      const r1 = v128.load(from + srcRow);
      const r2 = v128.load(from + 2 * srcRow);
      const r3 = v128.load(from + 3 * srcRow);
      const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
      const t1 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const t2 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i64>(t0, t2, 0, 2));
      v128.store(to + dstRow, v128.shuffle<i64>(t0, t2, 1, 3));
      v128.store(to + 2 * dstRow, v128.shuffle<i64>(t1, t3, 0, 2));
      v128.store(to + 3 * dstRow, v128.shuffle<i64>(t1, t3, 1, 3));
      from += 16;
      to += 4 * dstRow;
    }
    for (; j < columns; j++) {
      for (let k: usize = 0; k < 4; k++) store<f32>(to + (k << 2), load<f32>(from + k * srcRow));
      from += 4;
      to += dstRow;
    }
  }
  for (; i < rows; i++)
    for (let j: usize = 0; j < columns; j++)
      store<f32>(dst + j * dstRow + (i << 2), load<f32>(src + i * srcRow + (j << 2)));
}

/** Rows summed in blocks of this many, so that a float32 sum stays accurate; the twin repeats the order. */
const BLOCK: usize = 256;

/** dst (one per column) = sum over the rows of x, `xRow` bytes apart. */
export function columnSums(x: usize, xRow: usize, dst: usize, rows: usize, columns: usize): void {
  let j: usize = 0;
  // A whole cache line of each row at a time.
  for (; j + 16 <= columns; j += 16) sumLines(x + (j << 2), xRow, dst + (j << 2), rows);
  for (; j < columns; j += 4) {
    let total = f32x4.splat(0);
    let at = x + (j << 2);
    for (let done: usize = 0; done < rows; done += BLOCK) {
      let sum = f32x4.splat(0);
      for (let row = min<usize>(BLOCK, rows - done); row > 0; row--) {
        sum = f32x4.add(sum, v128.load(at));
        at += xRow;
      }
      total = f32x4.add(total, sum);
    }
    storePart(dst + (j << 2), total, columns - j);
  }
}

function sumLines(x: usize, xRow: usize, dst: usize, rows: usize): void {
  let t0 = f32x4.splat(0), t1 = f32x4.splat(0), t2 = f32x4.splat(0), t3 = f32x4.splat(0);
  for (let done: usize = 0; done < rows; done += BLOCK) {
    let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
    for (let row = min<usize>(BLOCK, rows - done); row > 0; row--) {
      s0 = f32x4.add(s0, v128.load(x));
      s1 = f32x4.add(s1, v128.load(x, 16));
      s2 = f32x4.add(s2, v128.load(x, 32));
      s3 = f32x4.add(s3, v128.load(x, 48));
      x += xRow;
    }
    t0 = f32x4.add(t0, s0);
    t1 = f32x4.add(t1, s1);
    t2 = f32x4.add(t2, s2);
    t3 = f32x4.add(t3, s3);
  }
  v128.store(dst, t0);
  v128.store(dst, t1, 16);
  v128.store(dst, t2, 32);
  v128.store(dst, t3, 48);
}

/** Index of the first value that is NaN or infinite; `count` when there is none. */
export function firstNotFinite(x: usize, count: usize): usize {
  const zero = f32x4.splat(0);
  let i: usize = 0;
  // Infinity and NaN times 0 are NaN, everything else is 0, and so are the sums.
  for (; i + 16 <= count; i += 16) {
    const at = x + (i << 2);
    const low = f32x4.add(f32x4.mul(v128.load(at), zero), f32x4.mul(v128.load(at, 16), zero));
    const high = f32x4.add(f32x4.mul(v128.load(at, 32), zero), f32x4.mul(v128.load(at, 48), zero));
    const none = f32x4.add(low, high);
    if (v128.any_true(f32x4.ne(none, none))) break;
  }
  for (; i < count; i++) if (load<f32>(x + (i << 2)) * 0 != 0) return i;
  return count;
}

/**
 * Inverted dropout: dst = x scaled where kept, else 0. Whether element i is kept depends on (seed, step, i) alone:
 * a 32-bit mix (Steele et al. 2014's finalizer, murmur3 constants) below `threshold` of 2^32 drops it.
 * The same call on dy is the gradient.
 */
export function dropout(x: usize, dst: usize, count: usize, seed: u32, step: u32, threshold: u32, factor: f32): void {
  const base = mix(seed ^ mix(step + 0x9e3779b9));
  for (let i: usize = 0; i < count; i++) {
    const kept = mix(base + <u32>i * 0x9e3779b9) >= threshold;
    store<f32>(dst + (i << 2), kept ? load<f32>(x + (i << 2)) * factor : 0);
  }
}

function mix(h: u32): u32 {
  h ^= h >> 16;
  h *= 0x85ebca6b;
  h ^= h >> 13;
  h *= 0xc2b2ae35;
  return h ^ (h >> 16);
}
