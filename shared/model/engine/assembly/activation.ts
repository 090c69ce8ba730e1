// Activations as tfjs defines them. Every derivative is computed from the output, so the input need not be kept.

import { gather4, scatter4, storePart, within } from "./lane";
import { exp4, log1p, sigmoid4, tanh4 } from "./math";

// The kinds; shared/model/engine/kernels.ts has the same numbers.
const RELU: i32 = 1;
const SIGMOID: i32 = 2;
const TANH: i32 = 3;
const ELU: i32 = 4;
const SELU: i32 = 5;
const RELU6: i32 = 6;
const HARD_SIGMOID: i32 = 7;
const SOFTPLUS: i32 = 8;
const SOFTSIGN: i32 = 9;
const LEAKY_RELU: i32 = 10;
const SELU_SCALE: f32 = 1.0507009873554804934193349852946;
const SELU_ALPHA: f32 = 1.6732632423543772848170429916717;

/** dst = activation(src), `count` floats; in place is allowed. `alpha`: of elu and leaky relu. */
export function activate(kind: i32, src: usize, dst: usize, count: usize, alpha: f32): void {
  if (kind == RELU) {
    relu(src, dst, count);
    return;
  }
  if (kind == TANH) {
    // A loop of its own: the choice among all kinds would cost as much as the function.
    const whole = dst + ((count & ~3) << 2);
    for (; dst < whole; dst += 16, src += 16) v128.store(dst, tanh4(v128.load(src)));
    if ((count & 3) != 0) storePart(dst, tanh4(v128.load(src)), count & 3);
    return;
  }
  const a = f32x4.splat(alpha);
  for (let i: usize = 0; i < count; i += 4) {
    const at = i << 2;
    storePart(dst + at, apply(kind, v128.load(src + at), a), count - i);
  }
}

function relu(src: usize, dst: usize, count: usize): void {
  const zero = f32x4.splat(0);
  const most = dst + ((count & ~15) << 2);
  for (; dst < most; dst += 64, src += 64) {
    v128.store(dst, f32x4.pmax(v128.load(src), zero));
    v128.store(dst, f32x4.pmax(v128.load(src, 16), zero), 16);
    v128.store(dst, f32x4.pmax(v128.load(src, 32), zero), 32);
    v128.store(dst, f32x4.pmax(v128.load(src, 48), zero), 48);
  }
  const whole = dst + ((count & 12) << 2);
  for (; dst < whole; dst += 16, src += 16) v128.store(dst, f32x4.pmax(v128.load(src), zero));
  if ((count & 3) != 0) storePart(dst, f32x4.pmax(v128.load(src), zero), count & 3);
}

function reluBack(y: usize, dy: usize, dx: usize, count: usize): void {
  const zero = f32x4.splat(0);
  const most = dx + ((count & ~15) << 2);
  for (; dx < most; dx += 64, dy += 64, y += 64) {
    v128.store(dx, v128.and(v128.load(dy), f32x4.gt(v128.load(y), zero)));
    v128.store(dx, v128.and(v128.load(dy, 16), f32x4.gt(v128.load(y, 16), zero)), 16);
    v128.store(dx, v128.and(v128.load(dy, 32), f32x4.gt(v128.load(y, 32), zero)), 32);
    v128.store(dx, v128.and(v128.load(dy, 48), f32x4.gt(v128.load(y, 48), zero)), 48);
  }
  const whole = dx + ((count & 12) << 2);
  for (; dx < whole; dx += 16, dy += 16, y += 16)
    v128.store(dx, v128.and(v128.load(dy), f32x4.gt(v128.load(y), zero)));
  if ((count & 3) != 0) storePart(dx, v128.and(v128.load(dy), f32x4.gt(v128.load(y), zero)), count & 3);
}

/** dx = dy x activation'(x), from y = activation(x); dx may be dy. */
export function activateBack(kind: i32, y: usize, dy: usize, dx: usize, count: usize, alpha: f32): void {
  if (kind == RELU) {
    reluBack(y, dy, dx, count);
    return;
  }
  const a = f32x4.splat(alpha);
  for (let i: usize = 0; i < count; i += 4) {
    const at = i << 2;
    storePart(dx + at, back(kind, v128.load(y + at), v128.load(dy + at), a), count - i);
  }
}

/** One vector of activation(x), the usual kinds of recurrent cells first. */
// @ts-ignore: decorator
@inline
export function applyGate(kind: i32, x: v128, alpha: v128): v128 {
  if (kind == TANH) return tanh4(x);
  if (kind == SIGMOID) return sigmoid4(x);
  if (kind == HARD_SIGMOID) return hardSigmoid(x);
  return applyOther(kind, x, alpha);
}

// @ts-ignore: decorator
@inline
function hardSigmoid(x: v128): v128 {
  const sum = f32x4.add(f32x4.mul(x, f32x4.splat(0.2)), f32x4.splat(0.5));
  return within(sum, f32x4.splat(0), f32x4.splat(1));
}

function applyOther(kind: i32, x: v128, alpha: v128): v128 {
  return apply(kind, x, alpha);
}

/** One vector of activation(x). */
// @ts-ignore: decorator
@inline
export function apply(kind: i32, x: v128, alpha: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  switch (kind) {
    case RELU:
      return f32x4.pmax(x, zero);
    case SIGMOID:
      return sigmoid4(x);
    case TANH:
      return tanh4(x);
    case ELU:
      return v128.bitselect(x, f32x4.mul(alpha, f32x4.sub(exp4(x), one)), f32x4.ge(x, zero));
    case SELU: {
      const low = f32x4.mul(f32x4.splat(SELU_SCALE * SELU_ALPHA), f32x4.sub(exp4(x), one));
      return v128.bitselect(f32x4.mul(f32x4.splat(SELU_SCALE), x), low, f32x4.ge(x, zero));
    }
    case RELU6:
      return within(x, zero, f32x4.splat(6));
    case HARD_SIGMOID:
      return hardSigmoid(x);
    case SOFTPLUS: {
      const e = exp4(f32x4.neg(f32x4.abs(x)));
      const low = f32x4(
        log1p(f32x4.extract_lane(e, 0)),
        log1p(f32x4.extract_lane(e, 1)),
        log1p(f32x4.extract_lane(e, 2)),
        log1p(f32x4.extract_lane(e, 3)),
      );
      return f32x4.add(f32x4.pmax(x, zero), low);
    }
    case SOFTSIGN:
      return f32x4.div(x, f32x4.add(f32x4.abs(x), one));
    case LEAKY_RELU:
      return v128.bitselect(x, f32x4.mul(alpha, x), f32x4.ge(x, zero));
    default:
      return x;
  }
}

/** One vector of dy x activation'(x), from y = activation(x). */
// @ts-ignore: decorator
@inline
export function back(kind: i32, y: v128, dy: v128, alpha: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  switch (kind) {
    case RELU:
      return v128.and(dy, f32x4.gt(y, zero));
    case SIGMOID:
      return f32x4.mul(dy, f32x4.mul(y, f32x4.sub(one, y)));
    case TANH:
      return f32x4.mul(dy, f32x4.sub(one, f32x4.mul(y, y)));
    case ELU:
      return v128.bitselect(dy, f32x4.mul(dy, f32x4.add(y, alpha)), f32x4.ge(y, zero));
    case SELU: {
      const low = f32x4.mul(dy, f32x4.add(y, f32x4.splat(SELU_SCALE * SELU_ALPHA)));
      return v128.bitselect(f32x4.mul(dy, f32x4.splat(SELU_SCALE)), low, f32x4.gt(y, zero));
    }
    case RELU6:
      return v128.and(dy, v128.and(f32x4.gt(y, zero), f32x4.lt(y, f32x4.splat(6))));
    case HARD_SIGMOID:
      return v128.and(f32x4.mul(dy, f32x4.splat(0.2)), v128.and(f32x4.gt(y, zero), f32x4.lt(y, one)));
    case SOFTPLUS:
      return f32x4.mul(dy, f32x4.sub(one, exp4(f32x4.neg(y))));
    case SOFTSIGN: {
      const s = f32x4.sub(one, f32x4.abs(y));
      return f32x4.mul(dy, f32x4.mul(s, s));
    }
    case LEAKY_RELU:
      return v128.bitselect(dy, f32x4.mul(alpha, dy), f32x4.ge(y, zero));
    default:
      return dy;
  }
}

/** Parametric relu: y = x where x >= 0, else alpha[i % size] x. `count` is a multiple of `size`. */
export function prelu(x: usize, alpha: usize, y: usize, count: usize, size: usize): void {
  for (let i: usize = 0; i < count; i++) {
    const value = load<f32>(x + (i << 2));
    store<f32>(y + (i << 2), value >= 0 ? value : load<f32>(alpha + ((i % size) << 2)) * value);
  }
}

/** dx as above, and dAlpha (zeroed first) summed over the rows. */
export function preluBack(x: usize, alpha: usize, dy: usize, dx: usize, dAlpha: usize, count: usize, size: usize): void {
  memory.fill(dAlpha, 0, size << 2);
  for (let i: usize = 0; i < count; i++) {
    const at = i << 2;
    const column = (i % size) << 2;
    const value = load<f32>(x + at);
    const slope = load<f32>(dy + at);
    store<f32>(dx + at, value >= 0 ? slope : load<f32>(alpha + column) * slope);
    if (!(value >= 0)) store<f32>(dAlpha + column, load<f32>(dAlpha + column) + value * slope);
  }
}

/**
 * Logits so far below the largest have the probability 0, and not one below 1e-26: its products with gradients would
 * soon be subnormal, which processors compute many times slower.
 */
const NEGLIGIBLE: f32 = -60;

/** Softmax over each of `rows` rows of `columns`; in place is allowed. */
export function softmax(src: usize, dst: usize, rows: usize, columns: usize): void {
  const row = columns << 2;
  // Four rows, a lane each; where fewer are left, the last one is in several lanes.
  for (let done: usize = 0; done < rows; done += 4) {
    const one = min<usize>(1, rows - done - 1) * row;
    const two = min<usize>(2, rows - done - 1) * row;
    const three = min<usize>(3, rows - done - 1) * row;
    softmaxRows(src, src + one, src + two, src + three, dst, dst + one, dst + two, dst + three, row);
    src += 4 * row;
    dst += 4 * row;
  }
}

function softmaxRows(
  s0: usize, s1: usize, s2: usize, s3: usize, d0: usize, d1: usize, d2: usize, d3: usize, bytes: usize,
): void {
  let top = gather4(s0, s1, s2, s3);
  for (let j: usize = 4; j < bytes; j += 4) top = f32x4.pmax(top, gather4(s0 + j, s1 + j, s2 + j, s3 + j));
  let sum = f32x4.splat(0);
  for (let j: usize = 0; j < bytes; j += 4) {
    const below = f32x4.sub(gather4(s0 + j, s1 + j, s2 + j, s3 + j), top);
    const power = v128.andnot(exp4(below), f32x4.lt(below, f32x4.splat(NEGLIGIBLE)));
    scatter4(power, d0 + j, d1 + j, d2 + j, d3 + j);
    sum = f32x4.add(sum, power);
  }
  for (let j: usize = 0; j < bytes; j += 4) {
    const power = gather4(d0 + j, d1 + j, d2 + j, d3 + j);
    scatter4(f32x4.div(power, sum), d0 + j, d1 + j, d2 + j, d3 + j);
  }
}

/** dx = (dy - sum(dy y)) y per row; dx may be dy. */
export function softmaxBack(y: usize, dy: usize, dx: usize, rows: usize, columns: usize): void {
  for (let row: usize = 0; row < rows; row++) {
    const at = (row * columns) << 2;
    let sum: f32 = 0;
    for (let j: usize = at; j < at + (columns << 2); j += 4) sum += load<f32>(y + j) * load<f32>(dy + j);
    for (let j: usize = at; j < at + (columns << 2); j += 4)
      store<f32>(dx + j, (load<f32>(dy + j) - sum) * load<f32>(y + j));
  }
}
