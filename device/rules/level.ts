// On which side of a rule's lines a value is.

import type { Rule } from "./rule.js";

/** `raising` and `clearing` ask for a change of the alarm; in the `band` between them whatever is stays. */
export type Side = "raising" | "band" | "clearing";

/**
 * Tells the sides of a rule apart. `above: a` raises beyond a and clears at a - hysteresis; `below: b` the other way
 * round. Both with a < b: between them, as in Home Assistant's numeric_state; with a > b: outside of them. Compared
 * as float32, which is what features and outputs are: 0.1 is not above 0.1.
 */
export function createSideReader({ above, below, hysteresis }: Rule): (value: number) => Side {
  const readers: ((value: number) => Side)[] = [];
  if (above !== undefined) readers.push(aboveReader(Math.fround(above), Math.fround(above - hysteresis)));
  if (below !== undefined) readers.push(belowReader(Math.fround(below), Math.fround(below + hysteresis)));
  // Outside of two lines one is enough to raise; between them one is enough to clear.
  const strongest: Side =
    above !== undefined && below !== undefined && above > below ? "raising" : "clearing";
  return (value) => strongestOf(readers, Math.fround(value), strongest);
}

function aboveReader(raise: number, clear: number) {
  return (value: number): Side => (value > raise ? "raising" : value <= clear ? "clearing" : "band");
}

function belowReader(raise: number, clear: number) {
  return (value: number): Side => (value < raise ? "raising" : value >= clear ? "clearing" : "band");
}

// One reader says `strongest`: so it is. Else one says "band": so it is. Else all say the weakest.
function strongestOf(readers: readonly ((value: number) => Side)[], value: number, strongest: Side): Side {
  let side: Side | undefined;
  for (const read of readers) {
    const found = read(value);
    if (found === strongest) return strongest;
    if (side !== "band") side = found;
  }
  return side ?? "band";
}

/** The line nearest to a value: the one that it is judged by. */
export function nearestLine({ above, below }: Rule, value: number): number {
  if (above === undefined || below === undefined) return above ?? below ?? Number.NaN;
  return Math.abs(value - above) <= Math.abs(value - below) ? above : below;
}
