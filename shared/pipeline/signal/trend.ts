// Taking out of a block what is not vibration: its level, or its level and slope.

import type { Samples } from "./samples.js";

/** Subtracts the mean, in place. */
export function removeMean(x: Samples): void {
  let sum = 0;
  for (let n = 0; n < x.length; n++) sum += x[n]!;
  const mean = sum / x.length;
  for (let n = 0; n < x.length; n++) x[n]! -= mean;
}

/** Subtracts the straight line of least squares, in place. */
export function removeLine(x: Samples): void {
  const middle = (x.length - 1) / 2;
  let sum = 0;
  let moment = 0;
  for (let n = 0; n < x.length; n++) {
    sum += x[n]!;
    moment += (n - middle) * x[n]!;
  }
  const mean = sum / x.length;
  // The sum of (n - middle)^2.
  const slope = (12 * moment) / (x.length * (x.length * x.length - 1));
  for (let n = 0; n < x.length; n++) x[n]! -= mean + slope * (n - middle);
}
