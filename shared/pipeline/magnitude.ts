// How large a number may be to be worth learning from.

/** Larger numbers are no measurement, and their squares would not fit a float32 column. */
export const MAX_MAGNITUDE = 1e18;

/** True for what a row may hold: neither NaN nor beyond `MAX_MAGNITUDE`. */
export function isSane(x: number): boolean {
  // NaN compares false to everything.
  return Math.abs(x) <= MAX_MAGNITUDE;
}
