// Small vector helpers that every kernel uses.

/** acc + a x b, rounded twice: the same bits on every machine. */
// @ts-ignore: decorator
@inline
export function mulAdd(acc: v128, a: v128, b: v128): v128 {
  return f32x4.add(acc, f32x4.mul(a, b));
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
