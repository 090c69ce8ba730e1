// exp, tanh, sigmoid and log in float32, out of additions, multiplications and divisions alone, so that every machine
// gives the same bits. Largest errors, which test/unit/shared/model/engine/math.test.ts measures: exp 2 ulp, tanh 7 ulp, sigmoid
// 4 ulp, log 2 ulp.

import { mulAdd, within } from "./lane";

/**
 * Constants in memory: V8 puts a vector constant together anew at every use, which costs more than reading it.
 * exp: Cephes (Moshier 1992, expf.c); tanh: the rational approximation of Eigen (generic_fast_tanh_float, without FMA).
 */
const TABLE = memory.data<f32>([
  // exp: limits, 1 / ln 2, rounding to integers by adding and subtracting, ln 2 in two parts, coefficients.
  88.3762626647949, -87.3365447504019, 1.44269504, 12582912.0, 0.693359375, -2.1219444e-4,
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1.0,
  // tanh: limits, numerator, denominator.
  7.90531110763549805, -7.90531110763549805,
  -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5,
  6.37261928875436e-4, 4.89352455891786e-3,
  1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3,
]);

/**
 * e to the x for -87.34 <= x <= 88.38; beyond, the value at the limit: no overflow, and nothing below the smallest normal
 * float. NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = within(x, v128.load32_splat(TABLE, 4), v128.load32_splat(TABLE));
  const round = v128.load32_splat(TABLE, 12);
  // The rounded sum holds the integer in its last bits.
  const sum = f32x4.add(f32x4.mul(x, v128.load32_splat(TABLE, 8)), round);
  const n = f32x4.sub(sum, round);
  let r = f32x4.sub(x, f32x4.mul(n, v128.load32_splat(TABLE, 16)));
  r = f32x4.sub(r, f32x4.mul(n, v128.load32_splat(TABLE, 20)));
  let y = mulAdd(v128.load32_splat(TABLE, 28), v128.load32_splat(TABLE, 24), r);
  y = mulAdd(v128.load32_splat(TABLE, 32), y, r);
  y = mulAdd(v128.load32_splat(TABLE, 36), y, r);
  y = mulAdd(v128.load32_splat(TABLE, 40), y, r);
  y = mulAdd(v128.load32_splat(TABLE, 44), y, r);
  const one = v128.load32_splat(TABLE, 48);
  y = f32x4.add(mulAdd(r, y, f32x4.mul(r, r)), one);
  // 2^n: n into the exponent of 1. What lies above the integer in `sum` is shifted out.
  return f32x4.mul(y, i32x4.add(i32x4.shl(sum, 23), one));
}

/** 1 / (1 + e^-x). */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = v128.load32_splat(TABLE, 48);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}

/** The hyperbolic tangent. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  x = within(x, v128.load32_splat(TABLE, 56), v128.load32_splat(TABLE, 52));
  const z = f32x4.mul(x, x);
  let p = mulAdd(v128.load32_splat(TABLE, 64), v128.load32_splat(TABLE, 60), z);
  p = mulAdd(v128.load32_splat(TABLE, 68), p, z);
  p = mulAdd(v128.load32_splat(TABLE, 72), p, z);
  p = mulAdd(v128.load32_splat(TABLE, 76), p, z);
  p = mulAdd(v128.load32_splat(TABLE, 80), p, z);
  p = mulAdd(v128.load32_splat(TABLE, 84), p, z);
  let q = mulAdd(v128.load32_splat(TABLE, 92), v128.load32_splat(TABLE, 88), z);
  q = mulAdd(v128.load32_splat(TABLE, 96), q, z);
  q = mulAdd(v128.load32_splat(TABLE, 100), q, z);
  return f32x4.div(f32x4.mul(x, p), q);
}

/** The natural logarithm; -Infinity at 0, NaN below. */
export function log(x: f32): f32 {
  if (!(x > 0)) return x == 0 ? -f32.MAX_VALUE * 2 : f32.NaN * x;
  if (x == Infinity) return x;
  let e: i32 = 0;
  if (x < 1.17549435e-38) {
    x *= 8388608;
    e = -23;
  }
  const bits = reinterpret<i32>(x);
  e += (bits >> 23) - 126;
  let m = reinterpret<f32>((bits & 0x007fffff) | 0x3f000000);
  if (m < 0.707106781186547524) {
    e -= 1;
    m = m + m - 1;
  } else {
    m = m - 1;
  }
  const z = m * m;
  let y: f32 = 7.0376836292e-2;
  y = y * m + <f32>-1.1514610310e-1;
  y = y * m + <f32>1.1676998740e-1;
  y = y * m + <f32>-1.2420140846e-1;
  y = y * m + <f32>1.4249322787e-1;
  y = y * m + <f32>-1.6668057665e-1;
  y = y * m + <f32>2.0000714765e-1;
  y = y * m + <f32>-2.4999993993e-1;
  y = y * m + <f32>3.3333331174e-1;
  y = y * m * z;
  const n = <f32>e;
  y += n * <f32>-2.12194440e-4;
  y -= <f32>0.5 * z;
  return m + y + n * <f32>0.693359375;
}

/** Four logarithms of positive, normal, finite numbers, each with the bits of `log`; NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  const halved = v128.or(v128.and(x, i32x4.splat(0x007fffff)), i32x4.splat(0x3f000000));
  const isLow = f32x4.lt(halved, f32x4.splat(0.707106781186547524));
  // One less where the mantissa is doubled.
  const n = f32x4.convert_i32x4_s(i32x4.add(i32x4.sub(i32x4.shr_s(x, 23), i32x4.splat(126)), isLow));
  const m = f32x4.sub(f32x4.add(halved, v128.and(halved, isLow)), f32x4.splat(1));
  const z = f32x4.mul(m, m);
  let y = mulAdd(f32x4.splat(-1.1514610310e-1), f32x4.splat(7.0376836292e-2), m);
  y = mulAdd(f32x4.splat(1.1676998740e-1), y, m);
  y = mulAdd(f32x4.splat(-1.2420140846e-1), y, m);
  y = mulAdd(f32x4.splat(1.4249322787e-1), y, m);
  y = mulAdd(f32x4.splat(-1.6668057665e-1), y, m);
  y = mulAdd(f32x4.splat(2.0000714765e-1), y, m);
  y = mulAdd(f32x4.splat(-2.4999993993e-1), y, m);
  y = mulAdd(f32x4.splat(3.3333331174e-1), y, m);
  y = f32x4.mul(f32x4.mul(y, m), z);
  y = f32x4.add(y, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  y = f32x4.sub(y, f32x4.mul(f32x4.splat(0.5), z));
  const value = f32x4.add(f32x4.add(m, y), f32x4.mul(n, f32x4.splat(0.693359375)));
  return v128.bitselect(value, x, f32x4.eq(x, x));
}

/** log(1 + e) for e in (0, 1]. */
export function log1p(e: f32): f32 {
  return e < <f32>1e-4 ? e - <f32>0.5 * e * e : log(<f32>1 + e);
}
