// One column's window against its reference: how far apart, how surely, how much.

import { ksAsymptoticP } from "../two-sample/ks.js";
import {
  chiSquareTest,
  jensenShannon,
  populationStability,
  populationStabilityP,
} from "../two-sample/shares.js";

export type DriftTest = "ks" | "psi" | "chi-square";

/** Values in rising order, with their weights, which sum to 1. */
export interface Weighted {
  readonly values: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
}

/** How far apart two weighted samples are. */
export interface Distance {
  /** Kolmogorov-Smirnov: the greatest distance between the distribution functions. */
  readonly greatest: number;
  /** Wasserstein-1: the area between them. */
  readonly area: number;
}

/** Both distances in one walk; neither sample is empty. */
export function distanceOf(a: Weighted, b: Weighted): Distance {
  let i = 0;
  let j = 0;
  let gap = 0;
  let greatest = 0;
  let area = 0;
  let last = 0;
  while (i < a.values.length || j < b.values.length) {
    const x = Math.min(a.values[i] ?? Number.POSITIVE_INFINITY, b.values[j] ?? Number.POSITIVE_INFINITY);
    if (i + j > 0) area += Math.abs(gap) * (x - last);
    while (i < a.values.length && a.values[i] === x) gap += a.weights[i++]!;
    while (j < b.values.length && b.values[j] === x) gap -= b.weights[j++]!;
    greatest = Math.max(greatest, Math.abs(gap));
    last = x;
  }
  return { greatest: Math.min(1, greatest), area };
}

/** What a test says. */
export interface TestResult {
  readonly statistic: number;
  readonly p: number;
}

/** Kolmogorov-Smirnov, both samples worth so many independent values. */
export function testKs({ greatest }: Distance, n: number, m: number): TestResult {
  return { statistic: greatest, p: ksAsymptoticP(greatest, n, m) };
}

/** Stability index over bins between `edges`. */
export function testPsi(
  a: Weighted,
  b: Weighted,
  edges: readonly number[],
  { n, m }: { readonly n: number; readonly m: number },
): TestResult {
  const index = populationStability(sharesBetween(a, edges), sharesBetween(b, edges));
  return { statistic: index, p: populationStabilityP(index, edges.length + 1, n, m) };
}

/** Chi-square over categories; anything that is none of them counts as one more. The effect is the Jensen-Shannon distance. */
export function testCategories(
  a: Weighted,
  b: Weighted,
  categories: ArrayLike<number>,
  { n, m }: { readonly n: number; readonly m: number },
): TestResult & { readonly effect: number } {
  const before = sharesOf(a, categories);
  const now = sharesOf(b, categories);
  return { ...chiSquareTest(before, now, n, m), effect: jensenShannon(before, now) };
}

function sharesBetween({ values, weights }: Weighted, edges: readonly number[]): number[] {
  const shares = new Array<number>(edges.length + 1).fill(0);
  let bin = 0;
  for (let i = 0; i < values.length; i++) {
    while (bin < edges.length && values[i]! > edges[bin]!) bin += 1;
    shares[bin]! += weights[i]!;
  }
  return shares;
}

function sharesOf({ values, weights }: Weighted, categories: ArrayLike<number>): number[] {
  const shares = new Array<number>(categories.length + 1).fill(0);
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    while (at < categories.length && categories[at]! < values[i]!) at += 1;
    shares[categories[at] === values[i] ? at : categories.length]! += weights[i]!;
  }
  return shares;
}
