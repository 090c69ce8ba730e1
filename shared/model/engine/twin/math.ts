// assembly/math.ts in plain JavaScript, bit for bit: every operation is rounded to float32 as it is there.

/** Rounds to float32. */
export const r = Math.fround;

/** The larger; a where the comparison fails, as with NaN or two zeros. */
export function larger(a: number, b: number): number {
  return a < b ? b : a;
}

/** x within [low, top]; NaN and zeros stay as they are. */
export function within(x: number, low: number, top: number): number {
  return larger(x > top ? top : x, low);
}

const EXP_TOP = r(88.3762626647949);
const EXP_LOW = r(-87.3365447504019);
const LOG2E = r(Math.LOG2E);
const ROUND = r(12582912);
const LN2_HIGH = r(0.693359375);
const LN2_LOW = r(-2.1219444e-4);
const EXP_FIRST = r(1.98756915e-4);
const EXP = [1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1].map(r);
const TANH_TOP = r(7.905311107635498);
const TANH_FIRST = r(-2.76076847742355e-16);
const TANH = [
  2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8, 1.48572235717979e-5, 6.37261928875436e-4,
  4.89352455891786e-3,
].map(r);
const TANH_UNDER_FIRST = r(1.19825839466702e-6);
const TANH_UNDER = [1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3].map(r);

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

function bitsOf(x: number): number {
  float[0] = x;
  return bits[0]!;
}

function fromBits(value: number): number {
  bits[0] = value;
  return float[0]!;
}

function polynomial(first: number, rest: readonly number[], x: number): number {
  let y = first;
  for (let i = 0; i < rest.length; i++) y = r(rest[i]! + r(y * x));
  return y;
}

/** e to the x. */
export function exp(given: number): number {
  const x = within(given, EXP_LOW, EXP_TOP);
  const sum = r(r(x * LOG2E) + ROUND);
  const n = r(sum - ROUND);
  const rest = r(r(x - r(n * LN2_HIGH)) - r(n * LN2_LOW));
  const y = polynomial(EXP_FIRST, EXP, rest);
  const power = fromBits(((bitsOf(sum) << 23) + 0x3f800000) | 0);
  return r(r(r(rest + r(y * r(rest * rest))) + 1) * power);
}

/** 1 / (1 + e^-x). */
export function sigmoid(x: number): number {
  return r(1 / r(1 + exp(-x)));
}

/** The hyperbolic tangent. */
export function tanh(given: number): number {
  const x = within(given, -TANH_TOP, TANH_TOP);
  const z = r(x * x);
  const p = polynomial(TANH_FIRST, TANH, z);
  const q = polynomial(TANH_UNDER_FIRST, TANH_UNDER, z);
  return r(r(x * p) / q);
}

const LOG_FIRST = r(7.0376836292e-2);
const LOG = [
  -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1,
  -2.4999993993e-1, 3.3333331174e-1,
].map(r);
const ROOT_HALF = r(Math.SQRT1_2);
const SMALLEST_NORMAL = r(1.17549435e-38);

/** The natural logarithm. */
export function log(given: number): number {
  if (!(given > 0)) return given === 0 ? -Infinity : Number.NaN;
  if (given === Infinity) return given;
  const isSmall = given < SMALLEST_NORMAL;
  const x = isSmall ? r(given * 8388608) : given;
  const word = bitsOf(x);
  let e = (isSmall ? -23 : 0) + (word >> 23) - 126;
  let m = fromBits((word & 0x007fffff) | 0x3f000000);
  if (m < ROOT_HALF) {
    e -= 1;
    m = r(r(m + m) - 1);
  } else m = r(m - 1);
  const z = r(m * m);
  let y = LOG_FIRST;
  for (let i = 0; i < LOG.length; i++) y = r(r(y * m) + LOG[i]!);
  y = r(r(y * m) * z);
  y = r(y + r(e * LN2_LOW));
  y = r(y - r(0.5 * z));
  return r(r(m + y) + r(e * LN2_HIGH));
}

/** log(1 + e) for e in (0, 1]. */
export function log1p(e: number): number {
  return e < r(1e-4) ? r(e - r(r(0.5 * e) * e)) : log(r(1 + e));
}
