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

// One sum makes each addition wait for the one before; four that do not are three times as fast.

/** The Euclidean norm, summed in float64. */
export function norm(x: Float32Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < x.length; i += 4) {
    a += x[i]! * x[i]!;
    b += x[i + 1]! * x[i + 1]!;
    c += x[i + 2]! * x[i + 2]!;
    d += x[i + 3]! * x[i + 3]!;
  }
  for (; i < x.length; i++) a += x[i]! * x[i]!;
  return Math.sqrt(a + b + (c + d));
}

/** True when no element is NaN or infinite. */
export function isAllFinite(x: Float32Array): boolean {
  // NaN and infinities times zero are NaN, and stay it; all else is zero.
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < x.length; i += 4) {
    a += x[i]! * 0;
    b += x[i + 1]! * 0;
    c += x[i + 2]! * 0;
    d += x[i + 3]! * 0;
  }
  for (; i < x.length; i++) a += x[i]! * 0;
  return a + b + c + d === 0;
}

/** True when both hold the same bits: NaN equals NaN, 0 differs from -0. */
export function isSame(a: Float32Array, b: Float32Array): boolean {
  return bytesOf(a).equals(bytesOf(b));
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
