// Losses as tfjs computes them: means over all rows and outputs. The loss is summed in float64.

import { log } from "./math";

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
  let total: f64 = 0;
  const width = columns << 2;
  for (let row: usize = 0; row < rows; row++) {
    const at = row * width;
    let sum: f32 = 0;
    for (let j: usize = at; j < at + width; j += 4) sum += load<f32>(p + j);
    let weighted: f32 = 0;
    for (let j: usize = at; j < at + width; j += 4) {
      const truth = load<f32>(y + j);
      const share = load<f32>(p + j) / sum;
      const clipped = min<f32>(max<f32>(share, EPSILON), <f32>1 - EPSILON);
      if (truth != 0) total -= <f64>truth * <f64>log(clipped);
      if (dp == 0) continue;
      // Through the clip, and through the division by the sum.
      const slope: f32 = share < EPSILON || share > <f32>1 - EPSILON ? 0 : -(truth / clipped) / <f32>rows;
      store<f32>(dp + j, slope);
      weighted += slope * share;
    }
    if (dp == 0) continue;
    for (let j: usize = at; j < at + width; j += 4) store<f32>(dp + j, (load<f32>(dp + j) - weighted) / sum);
  }
  return total / <f64>rows;
}

/** One-hot rows of `columns` from class indices, for sparse cross-entropy. An index outside is a row of zeros. */
export function oneHot(classes: usize, dst: usize, rows: usize, columns: usize): void {
  memory.fill(dst, 0, (rows * columns) << 2);
  for (let row: usize = 0; row < rows; row++) {
    const index = load<f32>(classes + (row << 2));
    if (index >= 0 && index < <f32>columns) store<f32>(dst + ((row * columns + <usize>index) << 2), 1);
  }
}
