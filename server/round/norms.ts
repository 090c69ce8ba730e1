// How long a delta may be, by what was usual lately.

import { NORM_FACTOR, NORM_SAMPLES_MAX, NORM_SAMPLES_MIN } from "./policy.js";

/** The greatest norm to accept, or null while too few are known to tell. */
export function normLimitOf(norms: readonly number[]): number | null {
  if (norms.length < NORM_SAMPLES_MIN) return null;
  const sorted = norms.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  // A fleet that has stood still says nothing about how far a step may go.
  return median > 0 ? NORM_FACTOR * median : null;
}

/** `norms` with those of one more round, the oldest forgotten. */
export function rememberNorms(norms: readonly number[], added: readonly number[]): readonly number[] {
  return [...norms, ...added].slice(-NORM_SAMPLES_MAX);
}
