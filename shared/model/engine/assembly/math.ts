// exp, tanh, sigmoid and log in float32, out of additions, multiplications and divisions alone, so that every machine
// gives the same bits. Polynomials of Cephes (Moshier 1992, expf.c, tanhf.c, logf.c). Errors, measured over all floats
// against float64 by the tests: exp <= 2 ulp (1 denormal step below 1e-38), tanh <= 3 ulp, sigmoid <= 3 ulp, log <= 2 ulp.

import { mulAdd } from "./lane";

/** Adding and subtracting it rounds to the nearest integer, ties to even, for |x| < 2^22. */
const ROUND: f32 = 12582912.0;

/** e to the x. Overflows to Infinity, underflows through denormals to 0. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = f32x4.max(f32x4.min(x, f32x4.splat(89)), f32x4.splat(-104));
  const n = f32x4.sub(f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504)), f32x4.splat(ROUND)), f32x4.splat(ROUND));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let y = mulAdd(f32x4.splat(1.3981999507e-3), f32x4.splat(1.9875691500e-4), r);
  y = mulAdd(f32x4.splat(8.3334519073e-3), y, r);
  y = mulAdd(f32x4.splat(4.1665795894e-2), y, r);
  y = mulAdd(f32x4.splat(1.6666665459e-1), y, r);
  y = mulAdd(f32x4.splat(5.0000001201e-1), y, r);
  y = f32x4.add(mulAdd(r, y, f32x4.mul(r, r)), f32x4.splat(1));
  // 2^n in two factors: n reaches 128 above and -150 below, where one factor alone would overflow or vanish.
  const e = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(e, 1);
  y = f32x4.mul(y, power(half));
  return f32x4.mul(y, power(i32x4.sub(e, half)));
}

// 2^n for -126 <= n <= 127.
// @ts-ignore: decorator
@inline
function power(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** 1 / (1 + e^-x). */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}

/** The hyperbolic tangent: an odd polynomial near zero, 1 - 2 / (e^2|x| + 1) elsewhere. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(0x80000000));
  const a = v128.xor(x, sign);
  const one = f32x4.splat(1);
  const far = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(exp4(f32x4.add(a, a)), one)));
  const z = f32x4.mul(x, x);
  let p = mulAdd(f32x4.splat(2.06390887954e-2), f32x4.splat(-5.70498872745e-3), z);
  p = mulAdd(f32x4.splat(-5.37397155531e-2), p, z);
  p = mulAdd(f32x4.splat(1.33314422036e-1), p, z);
  p = mulAdd(f32x4.splat(-3.33332819422e-1), p, z);
  const near = mulAdd(x, f32x4.mul(p, z), x);
  return v128.bitselect(near, v128.or(far, sign), f32x4.lt(a, f32x4.splat(0.625)));
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

/** log(1 + e) for e in (0, 1]. */
export function log1p(e: f32): f32 {
  return e < <f32>1e-4 ? e - <f32>0.5 * e * e : log(<f32>1 + e);
}
