// Matrix products. Everything dense, convolutional and recurrent, forward and backward, is this one product with
// other strides: C[i, j] = addend[i, j] + sum over s, k of A[i, s, k] x B[s, k, j]; B and C are contiguous along j.
// Tiles read whole vectors, so up to 31 floats behind the last one of B and of the addend are read, and ignored.
// The tiles differ in their number of rows and vectors alone. AssemblyScript has no macros, and sums in an array would not stay
// in registers, so they are written out.

import { mulAdd, storePart } from "./lane";

/**
 * Products are summed in blocks of at most this many: a float32 sum of a block stays accurate, and the rows of B that
 * it reads stay in the first-level cache. The order of summation is part of the contract: the twin repeats it.
 */
const BLOCK: usize = 256;

/**
 * `rows` x `columns` results of `segments` x `length` products each. All strides in bytes: of A per row, per k and per
 * segment, of B per k and per segment. The addend is C itself (accumulate), a bias (row stride 0), or 0 for none
 * (row stride 0): there the memory begins with zeros.
 */
export function gemm(
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  rows: usize, columns: usize, length: usize, segments: usize,
): void {
  // A single segment is cut along k, several into groups of whole segments.
  const isCut = segments == 1;
  const total = isCut ? length : segments;
  const most = isCut ? BLOCK : max<usize>(1, BLOCK / max<usize>(1, length));
  const aJump = isCut ? aStep : aSegment;
  const bJump = isCut ? bStep : bSegment;
  for (let done: usize = 0; done < total; done += most) {
    const part = min<usize>(most, total - done);
    block(
      a + done * aJump, aRow, aStep, aSegment, b + done * bJump, bStep, bSegment,
      c, cRow, add, addRow, rows, columns, isCut ? part : length, isCut ? 1 : part,
    );
    add = c;
    addRow = cRow;
  }
}

// Rows by four; what is left at the bottom or at the right has tiles of its own shape, with as many independent sums as
// the adders need to be busy.
function block(
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  rows: usize, columns: usize, length: usize, segments: usize,
): void {
  const main = rows & ~3;
  if (main > 0) {
    band(a, aRow, aStep, aSegment, b, bStep, bSegment, c, cRow, add, addRow, main, columns, length, segments);
    a += main * aRow;
    c += main * cRow;
    if (add != 0) add += main * addRow;
  }
  const left = rows - main;
  if (left == 0) return;
  const wide: usize = left == 3 ? 8 : left == 2 ? 16 : 32;
  for (let j: usize = 0; j < columns; j += wide) {
    const at = j << 2;
    const width = min<usize>(wide, columns - j);
    const from = add == 0 ? 0 : add + at;
    if (left == 3)
      tile3x8(a, aRow, aStep, aSegment, b + at, bStep, bSegment, c + at, cRow, from, addRow, width, length, segments);
    else if (left == 2)
      tile2x16(a, aRow, aStep, aSegment, b + at, bStep, bSegment, c + at, cRow, from, addRow, width, length, segments);
    else tile1x32(a, aRow, aStep, aSegment, b + at, bStep, bSegment, c + at, cRow, from, addRow, width, length, segments);
  }
}

// A multiple of four rows.
function band(
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  rows: usize, columns: usize, length: usize, segments: usize,
): void {
  for (let j: usize = 0; j < columns; j += 8) {
    const width = min<usize>(8, columns - j);
    const at = j << 2;
    const from = add == 0 ? 0 : add + at;
    let i: usize = 0;
    if (width <= 4)
      for (; i + 8 <= rows; i += 8)
        tile8x4(
          a + i * aRow, aRow, aStep, aSegment, b + at, bStep, bSegment,
          c + at + i * cRow, cRow, from + i * addRow, addRow, width, length, segments,
        );
    for (; i < rows; i += 4)
      tile4x8(
        a + i * aRow, aRow, aStep, aSegment, b + at, bStep, bSegment,
        c + at + i * cRow, cRow, from + i * addRow, addRow, width, length, segments,
      );
  }
}

function tile4x8(
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  width: usize, length: usize, segments: usize,
): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  for (; segments > 0; segments--) {
    let a0 = a;
    let a1 = a0 + aRow;
    let a2 = a1 + aRow;
    let a3 = a2 + aRow;
    let bk = b;
    for (let k = length; k > 0; k--) {
      const b0 = v128.load(bk), b1 = v128.load(bk, 16);
      let x: v128;
      x = v128.load32_splat(a0);
      c00 = mulAdd(c00, x, b0); c01 = mulAdd(c01, x, b1);
      x = v128.load32_splat(a1);
      c10 = mulAdd(c10, x, b0); c11 = mulAdd(c11, x, b1);
      x = v128.load32_splat(a2);
      c20 = mulAdd(c20, x, b0); c21 = mulAdd(c21, x, b1);
      x = v128.load32_splat(a3);
      c30 = mulAdd(c30, x, b0); c31 = mulAdd(c31, x, b1);
      a0 += aStep; a1 += aStep; a2 += aStep; a3 += aStep; bk += bStep;
    }
    a += aSegment;
    b += bSegment;
  }
  store2(c, add, width, c00, c01);
  c += cRow; add += addRow;
  store2(c, add, width, c10, c11);
  c += cRow; add += addRow;
  store2(c, add, width, c20, c21);
  c += cRow; add += addRow;
  store2(c, add, width, c30, c31);
}

function tile8x4(
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  width: usize, length: usize, segments: usize,
): void {
  let c00 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c40 = f32x4.splat(0);
  let c50 = f32x4.splat(0);
  let c60 = f32x4.splat(0);
  let c70 = f32x4.splat(0);
  for (; segments > 0; segments--) {
    let a0 = a;
    let a1 = a0 + aRow;
    let a2 = a1 + aRow;
    let a3 = a2 + aRow;
    let a4 = a3 + aRow;
    let a5 = a4 + aRow;
    let a6 = a5 + aRow;
    let a7 = a6 + aRow;
    let bk = b;
    for (let k = length; k > 0; k--) {
      const b0 = v128.load(bk);
      let x: v128;
      x = v128.load32_splat(a0);
      c00 = mulAdd(c00, x, b0);
      x = v128.load32_splat(a1);
      c10 = mulAdd(c10, x, b0);
      x = v128.load32_splat(a2);
      c20 = mulAdd(c20, x, b0);
      x = v128.load32_splat(a3);
      c30 = mulAdd(c30, x, b0);
      x = v128.load32_splat(a4);
      c40 = mulAdd(c40, x, b0);
      x = v128.load32_splat(a5);
      c50 = mulAdd(c50, x, b0);
      x = v128.load32_splat(a6);
      c60 = mulAdd(c60, x, b0);
      x = v128.load32_splat(a7);
      c70 = mulAdd(c70, x, b0);
      a0 += aStep; a1 += aStep; a2 += aStep; a3 += aStep; a4 += aStep; a5 += aStep; a6 += aStep; a7 += aStep; bk += bStep;
    }
    a += aSegment;
    b += bSegment;
  }
  store1(c, add, width, c00);
  c += cRow; add += addRow;
  store1(c, add, width, c10);
  c += cRow; add += addRow;
  store1(c, add, width, c20);
  c += cRow; add += addRow;
  store1(c, add, width, c30);
  c += cRow; add += addRow;
  store1(c, add, width, c40);
  c += cRow; add += addRow;
  store1(c, add, width, c50);
  c += cRow; add += addRow;
  store1(c, add, width, c60);
  c += cRow; add += addRow;
  store1(c, add, width, c70);
}

function tile3x8(
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  width: usize, length: usize, segments: usize,
): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  for (; segments > 0; segments--) {
    let a0 = a;
    let a1 = a0 + aRow;
    let a2 = a1 + aRow;
    let bk = b;
    for (let k = length; k > 0; k--) {
      const b0 = v128.load(bk), b1 = v128.load(bk, 16);
      let x: v128;
      x = v128.load32_splat(a0);
      c00 = mulAdd(c00, x, b0); c01 = mulAdd(c01, x, b1);
      x = v128.load32_splat(a1);
      c10 = mulAdd(c10, x, b0); c11 = mulAdd(c11, x, b1);
      x = v128.load32_splat(a2);
      c20 = mulAdd(c20, x, b0); c21 = mulAdd(c21, x, b1);
      a0 += aStep; a1 += aStep; a2 += aStep; bk += bStep;
    }
    a += aSegment;
    b += bSegment;
  }
  store2(c, add, width, c00, c01);
  c += cRow; add += addRow;
  store2(c, add, width, c10, c11);
  c += cRow; add += addRow;
  store2(c, add, width, c20, c21);
}

function tile2x16(
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  width: usize, length: usize, segments: usize,
): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c02 = f32x4.splat(0), c03 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0), c12 = f32x4.splat(0), c13 = f32x4.splat(0);
  for (; segments > 0; segments--) {
    let a0 = a;
    let a1 = a0 + aRow;
    let bk = b;
    for (let k = length; k > 0; k--) {
      const b0 = v128.load(bk), b1 = v128.load(bk, 16), b2 = v128.load(bk, 32), b3 = v128.load(bk, 48);
      let x: v128;
      x = v128.load32_splat(a0);
      c00 = mulAdd(c00, x, b0); c01 = mulAdd(c01, x, b1); c02 = mulAdd(c02, x, b2); c03 = mulAdd(c03, x, b3);
      x = v128.load32_splat(a1);
      c10 = mulAdd(c10, x, b0); c11 = mulAdd(c11, x, b1); c12 = mulAdd(c12, x, b2); c13 = mulAdd(c13, x, b3);
      a0 += aStep; a1 += aStep; bk += bStep;
    }
    a += aSegment;
    b += bSegment;
  }
  store4(c, add, width, c00, c01, c02, c03);
  c += cRow; add += addRow;
  store4(c, add, width, c10, c11, c12, c13);
}

function tile1x32(
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  width: usize, length: usize, segments: usize,
): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c02 = f32x4.splat(0), c03 = f32x4.splat(0), c04 = f32x4.splat(0), c05 = f32x4.splat(0), c06 = f32x4.splat(0), c07 = f32x4.splat(0);
  for (; segments > 0; segments--) {
    let a0 = a;
    let bk = b;
    for (let k = length; k > 0; k--) {
      const b0 = v128.load(bk), b1 = v128.load(bk, 16), b2 = v128.load(bk, 32), b3 = v128.load(bk, 48), b4 = v128.load(bk, 64), b5 = v128.load(bk, 80), b6 = v128.load(bk, 96), b7 = v128.load(bk, 112);
      let x: v128;
      x = v128.load32_splat(a0);
      c00 = mulAdd(c00, x, b0); c01 = mulAdd(c01, x, b1); c02 = mulAdd(c02, x, b2); c03 = mulAdd(c03, x, b3); c04 = mulAdd(c04, x, b4); c05 = mulAdd(c05, x, b5); c06 = mulAdd(c06, x, b6); c07 = mulAdd(c07, x, b7);
      a0 += aStep; bk += bStep;
    }
    a += aSegment;
    b += bSegment;
  }
  store8(c, add, width, c00, c01, c02, c03, c04, c05, c06, c07);
}

// One row of a tile, added to its addend; only `width` floats of it are written.

// @ts-ignore: decorator
@inline
function store1(c: usize, add: usize, width: usize, v0: v128): void {
  storePart(c, f32x4.add(v128.load(add), v0), width);
}

// @ts-ignore: decorator
@inline
function store2(c: usize, add: usize, width: usize, v0: v128, v1: v128): void {
  const s0 = f32x4.add(v128.load(add), v0);
  const s1 = f32x4.add(v128.load(add, 16), v1);
  if (width == 8) {
    v128.store(c, s0);
    v128.store(c, s1, 16);
    return;
  }
  storePart(c, s0, width);
  if (width > 4) storePart(c + 16, s1, width - 4);
}

function store4(c: usize, add: usize, width: usize, v0: v128, v1: v128, v2: v128, v3: v128): void {
  store2(c, add, min<usize>(8, width), v0, v1);
  if (width > 8) store2(c + 32, add + 32, width - 8, v2, v3);
}

function store8(
  c: usize, add: usize, width: usize,
  v0: v128, v1: v128, v2: v128, v3: v128, v4: v128, v5: v128, v6: v128, v7: v128,
): void {
  store4(c, add, min<usize>(16, width), v0, v1, v2, v3);
  if (width > 16) store4(c + 64, add + 64, width - 16, v4, v5, v6, v7);
}
