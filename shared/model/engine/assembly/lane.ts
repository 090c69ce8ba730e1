// Small vector helpers that every kernel uses.

/** acc + a x b, rounded twice: the same bits on every machine. */
// @ts-ignore: decorator
@inline
export function mulAdd(acc: v128, a: v128, b: v128): v128 {
  return f32x4.add(acc, f32x4.mul(a, b));
}

/** One float from each of four places. */
// @ts-ignore: decorator
@inline
export function gather4(a0: usize, a1: usize, a2: usize, a3: usize): v128 {
  let all = v128.load32_zero(a0);
  all = v128.load_lane<f32>(a1, all, 1);
  all = v128.load_lane<f32>(a2, all, 2);
  return v128.load_lane<f32>(a3, all, 3);
}

/** Each lane to a place of its own. */
// @ts-ignore: decorator
@inline
export function scatter4(all: v128, a0: usize, a1: usize, a2: usize, a3: usize): void {
  v128.store_lane<f32>(a0, all, 0);
  v128.store_lane<f32>(a1, all, 1);
  v128.store_lane<f32>(a2, all, 2);
  v128.store_lane<f32>(a3, all, 3);
}

/**
 * x within [low, top]. Where a comparison with NaN decides, x stays: that is one instruction for each bound, where
 * f32x4.min and f32x4.max are eight.
 */
// @ts-ignore: decorator
@inline
export function within(x: v128, low: v128, top: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, top), low);
}

/** Writes the first `width` lanes; all four when `width` is four or more. */
// @ts-ignore: decorator
@inline
export function storePart(at: usize, value: v128, width: usize): void {
  if (width >= 4) v128.store(at, value);
  else storeLanes(at, value, width);
}

function storeLanes(at: usize, value: v128, width: usize): void {
  if (width >= 1) v128.store_lane<f32>(at, value, 0);
  if (width >= 2) v128.store_lane<f32>(at, value, 1, 4);
  if (width >= 3) v128.store_lane<f32>(at, value, 2, 8);
}
