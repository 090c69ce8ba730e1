// Distances between two lists of shares, each summing to 1: of bins, or of categories.

import { chiSquareTail } from "../special/chi-square-law.js";

// What an empty bin is taken to hold: no logarithm of zero, and no bin that decides alone.
const LEAST_SHARE = 1e-4;

/** Population stability index: sum (q - p) ln(q / p), empty shares raised to 0.0001. */
export function populationStability(p: ArrayLike<number>, q: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const before = Math.max(p[i]!, LEAST_SHARE);
    const now = Math.max(q[i]!, LEAST_SHARE);
    sum += (now - before) * Math.log(now / before);
  }
  return sum;
}

/**
 * The chance of an index at least this high when nothing changed: over (1/n + 1/m) it is chi-square with one degree less than
 * bins (Yurdakul and Naranjo 2020). A fixed limit such as 0.1 means nothing without n and m.
 */
export function populationStabilityP(index: number, bins: number, n: number, m: number): number {
  return chiSquareTail(index / (1 / n + 1 / m), bins - 1);
}

/** Pearson's chi-square of two lists of shares of `n` and `m` (effective) values, and its chance when nothing changed. */
export function chiSquareTest(
  p: ArrayLike<number>,
  q: ArrayLike<number>,
  n: number,
  m: number,
): { readonly statistic: number; readonly p: number } {
  let statistic = 0;
  let cells = 0;
  for (let i = 0; i < p.length; i++) {
    const pooled = (n * p[i]! + m * q[i]!) / (n + m);
    if (pooled === 0) continue;
    cells += 1;
    statistic += ((q[i]! - p[i]!) ** 2 / pooled) * ((n * m) / (n + m));
  }
  return { statistic, p: cells < 2 ? 1 : chiSquareTail(statistic, cells - 1) };
}

/** Jensen-Shannon distance, natural logarithm: 0 for equal shares, at most sqrt(ln 2) = 0.83. Endres and Schindelin 2003. */
export function jensenShannon(p: ArrayLike<number>, q: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const middle = (p[i]! + q[i]!) / 2;
    if (p[i]! > 0) sum += p[i]! * Math.log(p[i]! / middle);
    if (q[i]! > 0) sum += q[i]! * Math.log(q[i]! / middle);
  }
  return Math.sqrt(Math.max(0, sum / 2));
}
