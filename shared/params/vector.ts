// The numeric hot loops over flat params. Arrays passed together have equal length; callers own them.

/** `a - b`, a new array. */
export function subtract(a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = a[i]! - b[i]!;
  return out;
}

/** Adds `factor * x` to `sum` in place, in float64. */
export function accumulate(sum: Float64Array, factor: number, x: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + factor * x[i]!;
}

/** The Euclidean norm, summed in float64. */
export function norm(x: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < x.length; i++) squares += x[i]! * x[i]!;
  return Math.sqrt(squares);
}

/** True when no element is NaN or infinite. */
export function isAllFinite(x: Float32Array): boolean {
  for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i])) return false;
  return true;
}
