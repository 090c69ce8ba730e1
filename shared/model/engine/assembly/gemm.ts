// Matrix products. Everything dense, convolutional and recurrent, forward and backward, is this one product with
// other strides: C[i, j] = addend[i, j] + sum over s, k of A[i, s, k] x B[s, k, j]; B and C are contiguous along j, A along
// k or along its rows. Loops read whole vectors, so up to 31 floats behind the last one of A, B and the addend are read, and
// ignored. Here is which loop computes what; the loops themselves are written by scripts/kernel-tiles.js.

import {
  narrow4x1, narrow4x2, narrow4x3, narrow4x4, narrow8x3, narrow8x4, narrow16x1, narrow16x2,
  strip1x4, strip1x8, strip1x16, strip1x24, strip2x4, strip2x8, strip2x12, strip2x16, strip3x8,
  stripAlongK, stripAlongRows, turned4x1, turned4x2,
} from "./tiles";

/**
 * Products are summed in blocks of at most this many: a float32 sum of a block stays accurate, and the rows of B that
 * it reads stay in the first-level cache. The order of summation is part of the contract: the twin repeats it.
 */
const BLOCK: usize = 256;

/**
 * `rows` x `columns` results of `segments` x `length` products each, all at least 1. All strides in bytes: of A per row,
 * per k and per segment (aRow or aStep is 4, or there are fewer than four rows), of B per k and per segment. The addend is C
 * itself (accumulate), a bias (row stride 0), or 0 for none (row stride 0): there the memory begins with zeros.
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

/** Computes `rows` (a multiple of its own) rows of `width` columns; everything else as of `gemm`. */
type Strip = (
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  rows: usize, width: usize, length: usize, segments: usize,
) => void;

// Rows by four, columns by eight; what is left at the bottom or at the right has loops of its own.
function block(
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  rows: usize, columns: usize, length: usize, segments: usize,
): void {
  const main = rows & ~3;
  if (main > 0) {
    // Any other A would be read wrongly.
    if (aStep != 4 && aRow != 4) unreachable();
    const strip: Strip = aStep == 4 ? stripAlongK : stripAlongRows;
    const whole = columns & ~7;
    for (let j: usize = 0; j < whole; j += 8)
      strip(
        a, aRow, aStep, aSegment, b + (j << 2), bStep, bSegment,
        c + (j << 2), cRow, behind(add, j), addRow, main, 8, length, segments,
      );
    if (whole < columns)
      right(
        a, aRow, aStep, aSegment, b + (whole << 2), bStep, bSegment,
        c + (whole << 2), cRow, behind(add, whole), addRow, main, columns - whole, length, segments,
      );
  }
  const left = rows - main;
  if (left > 0)
    bottom(
      a + main * aRow, aRow, aStep, aSegment, b, bStep, bSegment,
      c + main * cRow, cRow, add + main * addRow, addRow, left, columns, length, segments,
    );
}

// The place of column j; zeros are the same for all.
// @ts-ignore: decorator
@inline
function behind(add: usize, j: usize): usize {
  return add == 0 ? 0 : add + (j << 2);
}

// Fewer than eight columns. With rows side by side in A, lanes are rows and no lane is idle.
function right(
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  rows: usize, columns: usize, length: usize, segments: usize,
): void {
  if (aStep == 4) {
    const strip: Strip = columns == 1 ? turned4x1 : columns == 2 ? turned4x2 : stripAlongK;
    strip(
      a, aRow, aStep, aSegment, b, bStep, bSegment, c, cRow, add, addRow, rows, columns, length, segments,
    );
    return;
  }
  if (columns >= 4) {
    down(
      narrow8x4, 8, narrow4x4,
      a, aRow, aStep, aSegment, b, bStep, bSegment, c, cRow, add, addRow, rows, length, segments,
    );
    b += 16;
    c += 16;
    add = behind(add, 4);
  }
  const left = columns & 3;
  if (left == 0) return;
  const many: Strip = left == 1 ? narrow16x1 : left == 2 ? narrow16x2 : narrow8x3;
  const four: Strip = left == 1 ? narrow4x1 : left == 2 ? narrow4x2 : narrow4x3;
  down(
    many, left == 3 ? 8 : 16, four,
    a, aRow, aStep, aSegment, b, bStep, bSegment, c, cRow, add, addRow, rows, length, segments,
  );
}

// Rows by `step`, and by four what is left of them.
function down(
  many: Strip, step: usize, four: Strip,
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  rows: usize, length: usize, segments: usize,
): void {
  const whole = rows & ~(step - 1);
  many(a, aRow, aStep, aSegment, b, bStep, bSegment, c, cRow, add, addRow, whole, 0, length, segments);
  a += whole * aRow;
  c += whole * cRow;
  add += whole * addRow;
  four(a, aRow, aStep, aSegment, b, bStep, bSegment, c, cRow, add, addRow, rows - whole, 0, length, segments);
}

// Fewer than four rows: more columns at a time, as many as are left in whole vectors.
function bottom(
  a: usize, aRow: usize, aStep: usize, aSegment: usize,
  b: usize, bStep: usize, bSegment: usize,
  c: usize, cRow: usize, add: usize, addRow: usize,
  rows: usize, columns: usize, length: usize, segments: usize,
): void {
  const most: usize = rows == 3 ? 8 : rows == 2 ? 16 : 24;
  for (let j: usize = 0; j < columns; j += most) {
    const width = min<usize>(most, columns - j);
    const strip: Strip = rows == 3 ? strip3x8 : rows == 2 ? two(width) : one(width);
    strip(
      a, aRow, aStep, aSegment, b + (j << 2), bStep, bSegment,
      c + (j << 2), cRow, behind(add, j), addRow, rows, width, length, segments,
    );
  }
}

function two(width: usize): Strip {
  if (width > 12) return strip2x16;
  if (width > 8) return strip2x12;
  return width > 4 ? strip2x8 : strip2x4;
}

function one(width: usize): Strip {
  if (width > 16) return strip1x24;
  if (width > 8) return strip1x16;
  return width > 4 ? strip1x8 : strip1x4;
}
