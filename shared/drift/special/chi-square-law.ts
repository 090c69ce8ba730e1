// The chi-square law, by the regularised incomplete gamma function.

const TINY = 1e-300;
const ACCURACY = 1e-15;
const STEPS_MAX = 10_000;

/** The chance that a chi-square variable of `freedom` degrees exceeds `x`. */
export function chiSquareTail(x: number, freedom: number): number {
  return x <= 0 ? 1 : upperGamma(freedom / 2, x / 2);
}

/** What a chi-square variable of `freedom` degrees exceeds with chance `tail`, 0 < tail < 1. */
export function chiSquareQuantile(tail: number, freedom: number): number {
  let low = 0;
  let high = Math.max(1, freedom);
  while (chiSquareTail(high, freedom) > tail) high *= 2;
  // Each step halves the interval: 200 exhaust a double.
  for (let step = 0; step < 200 && high - low > ACCURACY * high; step++) {
    const middle = (low + high) / 2;
    if (chiSquareTail(middle, freedom) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Q(a, x), a > 0, x > 0: by the series below the mode, by Lentz's continued fraction above (DLMF 8.11.4, 8.9.2). */
export function upperGamma(a: number, x: number): number {
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1 ? 1 - scale * series(a, x) : scale * continuedFraction(a, x);
}

function series(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < STEPS_MAX && term > ACCURACY * sum; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

function continuedFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < STEPS_MAX; n++) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / notZero(numerator * d + b);
    c = notZero(b + numerator / c);
    fraction *= c * d;
    if (Math.abs(c * d - 1) < ACCURACY) break;
  }
  return fraction;
}

function notZero(x: number): number {
  return Math.abs(x) < TINY ? TINY : x;
}

// Lanczos 1964, g = 7, nine terms: 15 digits for a > 0.
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** The logarithm of the gamma function, a > 0. */
export function logGamma(a: number): number {
  if (a < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * a)) - logGamma(1 - a);
  const base = a + 6.5;
  const sum = LANCZOS.reduce(
    (total, coefficient, i) => total + (i === 0 ? coefficient : coefficient / (a - 1 + i)),
    0,
  );
  return 0.5 * Math.log(2 * Math.PI) + (a - 0.5) * Math.log(base) - base + Math.log(sum);
}
