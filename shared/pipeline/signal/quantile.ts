// Order statistics of samples in rising order.

import type { Samples } from "./samples.js";

/** The value at share `p` of the way: linear between neighbours (Hyndman and Fan 1996, type 7, NumPy's default). */
export function sortedQuantile(sorted: Samples, p: number): number {
  const rank = p * (sorted.length - 1);
  const below = Math.floor(rank);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  // Exact at both ends and for equal neighbours.
  return low === high ? low : low + (high - low) * (rank - below);
}

/**
 * Median of the absolute deviations from the median, unscaled (1.4826 times it estimates a normal's std). The deviations
 * lie in order already, seen from the median outwards: one walk, no second sort.
 */
export function sortedMad(sorted: Samples): number {
  const median = sortedQuantile(sorted, 0.5);
  let left = firstAbove(sorted, median) - 1;
  let right = left + 1;
  const half = Math.floor(sorted.length / 2);
  let previous = 0;
  let deviation = 0;
  for (let taken = 0; taken <= half; taken++) {
    previous = deviation;
    const leftDeviation = left >= 0 ? median - sorted[left]! : Number.POSITIVE_INFINITY;
    const rightDeviation = right < sorted.length ? sorted[right]! - median : Number.POSITIVE_INFINITY;
    if (leftDeviation <= rightDeviation) {
      deviation = leftDeviation;
      left -= 1;
    } else {
      deviation = rightDeviation;
      right += 1;
    }
  }
  return sorted.length % 2 === 0 ? (previous + deviation) / 2 : deviation;
}

function firstAbove(sorted: Samples, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
