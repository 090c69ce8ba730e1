// Losses as tfjs computes them: means over all rows and outputs. The loss is summed in float64.

import { gather4, scatter4, within } from "./lane";
import { log, log4 } from "./math";

// The kinds; shared/model/engine/kernels.ts has the same numbers.
const SQUARED: i32 = 0;
const ABSOLUTE: i32 = 1;
const HUBER: i32 = 2;
const BINARY: i32 = 3;
/** tfjs clips probabilities to [EPSILON, 1 - EPSILON] before the logarithm; outside, the gradient is 0. */
const EPSILON: f32 = 1e-7;

/** Mean loss of `count` outputs p against y, and its gradient into `dp` unless that is 0. */
export function elementLoss(kind: i32, p: usize, y: usize, dp: usize, count: usize): f64 {
  const share: f32 = <f32>1 / <f32>count;
  if (kind == SQUARED) return squaredLoss(p, y, dp, count, share);
  let sum: f64 = 0;
  for (let at: usize = 0; at < count << 2; at += 4) {
    const predicted = load<f32>(p + at);
    const truth = load<f32>(y + at);
    const error = predicted - truth;
    const size = abs<f32>(error);
    let slope: f32 = 0;
    if (kind == ABSOLUTE) {
      sum += <f64>size;
      slope = error > 0 ? <f32>1 : error < 0 ? <f32>-1 : error;
    } else if (kind == HUBER) {
      sum += size > 1 ? <f64>size - 0.5 : <f64>(error * error) * 0.5;
      slope = size > 1 ? (error > 0 ? <f32>1 : <f32>-1) : error;
    } else {
      sum += binary(predicted, truth);
      slope = binarySlope(predicted, truth);
    }
    if (dp != 0) store<f32>(dp + at, slope * share);
  }
  return sum / <f64>count;
}

// Two sums, of even and of odd outputs, in float64.
function squaredLoss(p: usize, y: usize, dp: usize, count: usize, share: f32): f64 {
  const factor = f32x4.splat(<f32>2 * share);
  let sums = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 4 <= count; i += 4) {
    const at = i << 2;
    const error = f32x4.sub(v128.load(p + at), v128.load(y + at));
    const square = f32x4.mul(error, error);
    sums = f64x2.add(sums, f64x2.promote_low_f32x4(square));
    sums = f64x2.add(sums, f64x2.promote_low_f32x4(v128.shuffle<i64>(square, square, 1, 1)));
    if (dp != 0) v128.store(dp + at, f32x4.mul(error, factor));
  }
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; i < count; i++) {
    const at = i << 2;
    const error = load<f32>(p + at) - load<f32>(y + at);
    sum += <f64>(error * error);
    if (dp != 0) store<f32>(dp + at, error * (<f32>2 * share));
  }
  return sum / <f64>count;
}

// tfjs goes through logits: max(l, 0) - l y + log(1 + e^-|l|) with l = log(p / (1 - p)); this is the same number.
function binary(p: f32, y: f32): f64 {
  const q = min<f32>(max<f32>(p, EPSILON), <f32>1 - EPSILON);
  return -(<f64>y * <f64>log(q) + (1 - <f64>y) * <f64>log(<f32>1 - q));
}

function binarySlope(p: f32, y: f32): f32 {
  if (p < EPSILON || p > <f32>1 - EPSILON) return 0;
  return (p - y) / (p * (<f32>1 - p));
}

/** Mean categorical cross-entropy of `rows` rows of probabilities p against one-hot (or soft) y; dp unless 0. */
export function categoricalLoss(p: usize, y: usize, dp: usize, rows: usize, columns: usize): f64 {
  const row = columns << 2;
  let total: f64 = 0;
  // Four rows, a lane each; where fewer are left, the last one is in several lanes.
  for (let done: usize = 0; done < rows; done += 4) {
    const last = min<usize>(3, rows - done - 1);
    const one = min<usize>(1, last) * row;
    const two = min<usize>(2, last) * row;
    total = categoricalRows(p, y, dp, one, two, last * row, row, <f32>rows, last, total);
    p += 4 * row;
    y += 4 * row;
    if (dp != 0) dp += 4 * row;
  }
  return total / <f64>rows;
}

// Rows of `bytes` bytes at 0, `one`, `two` and `three`: the total less the first `last` + 1 sums of truth x log(share).
function categoricalRows(
  p: usize, y: usize, dp: usize, one: usize, two: usize, three: usize, bytes: usize, rows: f32, last: usize, total: f64,
): f64 {
  const low = f32x4.splat(EPSILON);
  const top = f32x4.splat(<f32>1 - EPSILON);
  let sum = f32x4.splat(0);
  for (let from = p; from < p + bytes; from += 4)
    sum = f32x4.add(sum, gather4(from, from + one, from + two, from + three));
  let weighted = f32x4.splat(0);
  let logs01 = f64x2.splat(0);
  let logs23 = f64x2.splat(0);
  for (let j: usize = 0; j < bytes; j += 4) {
    const at = y + j;
    const truth = gather4(at, at + one, at + two, at + three);
    const isTrue = f32x4.ne(truth, f32x4.splat(0));
    let kept = f32x4.splat(0);
    // Most truths are 0, and add nothing.
    if (v128.any_true(isTrue)) {
      const from = p + j;
      const share = f32x4.div(gather4(from, from + one, from + two, from + three), sum);
      const clipped = within(share, low, top);
      const wanted = v128.and(log4(clipped), isTrue);
      logs01 = f64x2.add(logs01, f64x2.mul(f64x2.promote_low_f32x4(truth), f64x2.promote_low_f32x4(wanted)));
      logs23 = f64x2.add(logs23, f64x2.mul(upper(truth), upper(wanted)));
      // Through the clip: outside, the gradient is 0.
      const slope = f32x4.div(f32x4.neg(f32x4.div(truth, clipped)), f32x4.splat(rows));
      const isClipped = v128.or(f32x4.lt(share, low), f32x4.gt(share, top));
      kept = v128.and(v128.andnot(slope, isClipped), isTrue);
      weighted = f32x4.add(weighted, v128.and(f32x4.mul(kept, share), isTrue));
    }
    const to = dp + j;
    if (dp != 0) scatter4(kept, to, to + one, to + two, to + three);
  }
  // Through the division by the sum.
  for (let to = dp; dp != 0 && to < dp + bytes; to += 4) {
    const slope = gather4(to, to + one, to + two, to + three);
    scatter4(f32x4.div(f32x4.sub(slope, weighted), sum), to, to + one, to + two, to + three);
  }
  total -= f64x2.extract_lane(logs01, 0);
  if (last >= 1) total -= f64x2.extract_lane(logs01, 1);
  if (last >= 2) total -= f64x2.extract_lane(logs23, 0);
  if (last >= 3) total -= f64x2.extract_lane(logs23, 1);
  return total;
}

// @ts-ignore: decorator
@inline
function upper(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
}

/** One-hot rows of `columns` from class indices, for sparse cross-entropy. An index outside is a row of zeros. */
export function oneHot(classes: usize, dst: usize, rows: usize, columns: usize): void {
  memory.fill(dst, 0, (rows * columns) << 2);
  for (let row: usize = 0; row < rows; row++) {
    const index = load<f32>(classes + (row << 2));
    if (index >= 0 && index < <f32>columns) store<f32>(dst + ((row * columns + <usize>index) << 2), 1);
  }
}
