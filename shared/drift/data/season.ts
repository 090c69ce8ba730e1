// A cycle in telemetry (a day, a week): where in it a row falls, and what is left of a series without it.

/** Sines and cosines of the season's first harmonics, and a constant. */
const HARMONICS = 3;
const TERMS = 1 + 2 * HARMONICS;

/** Position in the season, from 0 up to 1. */
export function phaseOf(timeMs: number, seasonMs: number): number {
  const cycles = timeMs / seasonMs;
  return cycles - Math.floor(cycles);
}

/** The smooth part of a cycle: weights of a constant and of three harmonics. */
export type Cycle = readonly number[];

/** Least squares over the values present (not NaN); zeros when they do not settle it. */
export function fitCycle(values: Float64Array, phases: ArrayLike<number>): Cycle {
  const rows = Array.from({ length: TERMS }, () => new Float64Array(TERMS + 1));
  const terms = new Float64Array(TERMS);
  values.forEach((value, i) => {
    if (Number.isNaN(value)) return;
    writeTerms(phases[i]!, terms);
    for (let r = 0; r < TERMS; r++) {
      for (let c = 0; c < TERMS; c++) rows[r]![c]! += terms[r]! * terms[c]!;
      rows[r]![TERMS]! += terms[r]! * value;
    }
  });
  return solve(rows) ?? new Array<number>(TERMS).fill(0);
}

/** What a cycle's weights are weighted by at a phase: the constant, then sines and cosines. */
export function termsAt(phase: number): Float64Array {
  const terms = new Float64Array(TERMS);
  writeTerms(phase, terms);
  return terms;
}

/** The cycle's value, by the terms at its phase. */
export function cycleAt(cycle: Cycle, terms: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < cycle.length; i++) sum += cycle[i]! * terms[i]!;
  return sum;
}

function writeTerms(phase: number, terms: Float64Array): void {
  terms[0] = 1;
  for (let h = 1; h <= HARMONICS; h++) {
    terms[2 * h - 1] = Math.sin(2 * Math.PI * h * phase);
    terms[2 * h] = Math.cos(2 * Math.PI * h * phase);
  }
}

// Gauss, with the largest pivot of each column; undefined where the rows do not settle every term.
function solve(rows: Float64Array[]): number[] | undefined {
  for (let at = 0; at < rows.length; at++) {
    const pivot = rows.reduce(
      (best, row, r) => (r > at && Math.abs(row[at]!) > Math.abs(rows[best]![at]!) ? r : best),
      at,
    );
    [rows[at], rows[pivot]] = [rows[pivot]!, rows[at]!];
    const head = rows[at]!;
    if (Math.abs(head[at]!) < 1e-9 * Math.max(1, rows[0]![0]!)) return undefined;
    rows.forEach((row, r) => {
      if (r === at) return;
      const factor = row[at]! / head[at]!;
      for (let c = at; c < row.length; c++) row[c]! -= factor * head[c]!;
    });
  }
  return rows.map((row, i) => row[rows.length]! / row[i]!);
}
