// What one column was like when its model was trained: frozen, bounded, and all that a window is compared with.

import { rowsPerPoint } from "./autocorrelation.js";
import { ColumnWindow } from "./column-window.js";
import { type Distance, distanceOf, type TestResult, testCategories, testKs, testPsi } from "./compare.js";
import type { NotTestable } from "./port.js";
import { type Cycle, cycleAt, fitCycle, termsAt } from "./season.js";

/** Values kept, at most: evenly spaced in rank, or in time where there is a season. */
export const REFERENCE_VALUES = 1_000;
/** Fewer independent values are no sample. */
export const POINTS_MIN = 30;
/** A column of so few different values is counted, not ranked. */
const CATEGORIES_MAX = 10;
/** Parts of a season: a row is compared with rows of the same part. */
const PHASES = 24;
/** Windows of the reference itself that are compared with it, at most. */
const OWN_WINDOWS_MAX = 16;
/** Windows of a slow column grow to so many times the others'. */
const SPAN_MAX = 16;
const EFFECT_MAX = 1e6;

/** One column of the rows that a reference is made from, in the order they came. NaN: missing. */
export interface ColumnSeries {
  readonly values: Float64Array;
  /** Positions in the season; empty without one. */
  readonly phases: Float32Array;
}

/** All numbers of a reference, as they are stored. */
export interface ReferenceNumbers {
  /** In rising order; what is left without the cycle. */
  readonly values: Float32Array;
  readonly phases: Float32Array;
  /** Rows that are worth one independent row. */
  readonly rowsPerPoint: number;
  /** Independent values that the reference is worth. */
  readonly points: number;
  /** The median. */
  readonly center: number;
  readonly std: number;
  readonly cycle: Cycle;
  /** Deciles, for the stability index. */
  readonly edges: readonly number[];
  /** The only values there are, where they are few. */
  readonly categories: Float32Array | null;
  /** Windows of other columns in one of this. */
  readonly span: number;
  /** What windows of the reference differed from it by, at most. */
  readonly ownEffect: number;
}

/** Rows of a window, and what numbers are tested with. */
interface Watch {
  readonly windowRows: number;
  readonly test: "ks" | "psi";
}

/** What a window shows against its reference. */
export interface Comparison extends TestResult {
  readonly test: "ks" | "psi" | "chi-square";
  readonly effect: number;
  readonly points: number;
  readonly referencePoints: number;
}

/** The reference of a column, or why there can be none. */
export function createReference(series: ColumnSeries, watch: Watch): ReferenceNumbers | NotTestable {
  const present = series.values.filter((x) => !Number.isNaN(x)).sort();
  if (present.length < POINTS_MIN || present.length < series.values.length / 2) return "missing";
  if (present[0] === present.at(-1)) return "constant";
  const categories = categoriesOf(present);
  const cycle = series.phases.length > 0 && categories === null ? cycleOf(series, present) : [];
  const rest = { values: withoutCycle(series, cycle), phases: series.phases };
  const sorted = rest.values.filter((x) => !Number.isNaN(x)).sort();
  const center = sorted[sorted.length >> 1]!;
  const time = rowsPerPoint(order(rest.values, center, categories)) ?? 1;
  const points = sorted.length / time;
  const span = spanOf(time, watch.windowRows);
  if (span === undefined || points < POINTS_MIN) return "autocorrelated";
  const draft: ReferenceNumbers = {
    ...thinned(rest, sorted),
    rowsPerPoint: time,
    points,
    center,
    std: deviationOf(sorted),
    cycle,
    edges: decilesOf(sorted),
    categories,
    span,
    ownEffect: 0,
  };
  return { ...draft, ownEffect: ownEffectOf(draft, rest, watch) };
}

/** A closed window against the reference. */
export function compare(
  reference: ReferenceNumbers,
  window: ColumnWindow,
  test: "ks" | "psi",
): Comparison | NotTestable {
  const { values, phases } = window;
  const present = orderOf(values);
  if (present.length === 0 || 2 * present.length < values.length) return "missing";
  const matched = reference.phases.length > 0 ? matchPhases(reference, present, phases) : undefined;
  if (matched === "season") return "season";
  const kept = matched?.order ?? present;
  const now = { values: Float32Array.from(kept, (i) => values[i]!), weights: uniform(kept.length) };
  const before = { values: reference.values, weights: matched?.weights ?? uniform(reference.values.length) };
  const n = reference.points * (matched?.worth ?? 1);
  const m = pointsOf(reference, window);
  if (m < POINTS_MIN / 2 || n < POINTS_MIN / 2) return "autocorrelated";
  const sizes = { points: m, referencePoints: n };
  if (reference.categories !== null)
    return { test: "chi-square", ...testCategories(before, now, reference.categories, { n, m }), ...sizes };
  const distance = distanceOf(before, now);
  const result = test === "ks" ? testKs(distance, n, m) : testPsi(before, now, reference.edges, { n, m });
  return { test, ...result, effect: effectOf(distance, reference), ...sizes };
}

function effectOf({ area }: Distance, { std }: ReferenceNumbers): number {
  return Math.min(EFFECT_MAX, area / std);
}

/** Independent values a window is worth: by the reference's autocorrelation or by its own, whichever leaves fewer. */
function pointsOf(reference: ReferenceNumbers, window: ColumnWindow): number {
  const values = Float64Array.from(window.values);
  const time = rowsPerPoint(order(values, reference.center, reference.categories)) ?? 1;
  return Math.min(window.presentRows / reference.rowsPerPoint, window.presentRows / window.stride / time);
}

/** The reference weighted so that every part of the season counts as much in it as in the window. */
function matchPhases(reference: ReferenceNumbers, present: Uint32Array, phases: Float32Array) {
  const held = countPhases(reference.phases);
  const order = present.filter((i) => held[phaseAt(phases[i]!)]! > 0);
  if (2 * order.length < present.length) return "season";
  const wanted = countPhases(Float32Array.from(order, (i) => phases[i]!));
  const weights = Float64Array.from(reference.phases, (phase) => {
    const at = phaseAt(phase);
    return wanted[at]! / order.length / held[at]!;
  });
  // Kish's effective sample size, as a share of the whole.
  const squares = weights.reduce((sum, weight) => sum + weight * weight, 0);
  return { order, weights, worth: 1 / squares / weights.length } as const;
}

function countPhases(phases: Float32Array): Float64Array {
  const counts = new Float64Array(PHASES);
  for (const phase of phases) counts[phaseAt(phase)]! += 1;
  return counts;
}

// A phase just below 1 may round to it.
function phaseAt(phase: number): number {
  return Math.min(PHASES - 1, Math.floor(phase * PHASES));
}

function orderOf(values: Float32Array): Uint32Array {
  const present = Uint32Array.from(values.keys()).filter((i) => !Number.isNaN(values[i]!));
  return present.sort((a, b) => values[a]! - values[b]!);
}

function uniform(length: number): Float64Array {
  return new Float64Array(length).fill(1 / length);
}

/**
 * What tells how closely values follow one another: of numbers, on which side of the median they are, since a distribution
 * function is a share of such sides, and one wild value must not hide the others; of categories, the values.
 */
function order(values: Float64Array, center: number, categories: Float32Array | null): Float64Array {
  return categories === null ? values.map((x) => Math.sign(x - center)) : values;
}

// Wild values are drawn in before the cycle is fitted, lest they bend it.
function cycleOf({ values, phases }: ColumnSeries, sorted: Float64Array): Cycle {
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  const reach = 3 * (at(0.75) - at(0.25));
  const bounded = values.map((x) => Math.max(at(0.25) - reach, Math.min(at(0.75) + reach, x)));
  return fitCycle(bounded, phases);
}

function withoutCycle({ values, phases }: ColumnSeries, cycle: Cycle): Float64Array {
  return cycle.length === 0 ? values : values.map((x, i) => x - cycleAt(cycle, termsAt(phases[i]!)));
}

function spanOf(time: number, windowRows: number): number | undefined {
  let span = 1;
  while (span <= SPAN_MAX && (span * windowRows) / time < POINTS_MIN) span *= 2;
  return span <= SPAN_MAX ? span : undefined;
}

function deviationOf(sorted: Float64Array): number {
  const mean = sorted.reduce((sum, x) => sum + x, 0) / sorted.length;
  const square = sorted.reduce((sum, x) => sum + (x - mean) * (x - mean), 0);
  return Math.sqrt(square / sorted.length);
}

function decilesOf(sorted: Float64Array): number[] {
  const edges = Array.from({ length: 9 }, (_, i) => sorted[Math.ceil(((i + 1) / 10) * sorted.length) - 1]!);
  return [...new Set(edges)].filter((edge) => edge < sorted.at(-1)!);
}

function categoriesOf(sorted: Float64Array): Float32Array | null {
  const different = new Set<number>();
  for (const x of sorted) if (different.add(x).size > CATEGORIES_MAX) return null;
  return Float32Array.from(different);
}

function thinned({ values, phases }: ColumnSeries, sorted: Float64Array) {
  const length = Math.min(REFERENCE_VALUES, sorted.length);
  if (phases.length === 0) {
    const at = (i: number) => sorted[Math.floor(((i + 0.5) / length) * sorted.length)]!;
    return { values: Float32Array.from({ length }, (_, i) => at(i)), phases };
  }
  const present = Uint32Array.from(values.keys()).filter((i) => !Number.isNaN(values[i]!));
  const kept = Uint32Array.from(
    { length },
    (_, i) => present[Math.floor(((i + 0.5) / length) * present.length)]!,
  );
  kept.sort((a, b) => values[a]! - values[b]!);
  return {
    values: Float32Array.from(kept, (i) => values[i]!),
    phases: Float32Array.from(kept, (i) => phases[i]!),
  };
}

/** The most that a window of the reference itself differs: no smaller effect is news. */
function ownEffectOf(
  reference: ReferenceNumbers,
  { values, phases }: ColumnSeries,
  { windowRows, test }: Watch,
): number {
  const rows = reference.span * windowRows;
  const windows = Math.min(OWN_WINDOWS_MAX, Math.floor(values.length / rows));
  if (windows < 2) return 0;
  const window = new ColumnWindow(rows, phases.length > 0);
  let most = 0;
  for (let k = 0; k < windows; k++) {
    window.clear();
    const from = values.length - (k + 1) * rows;
    for (let i = from; i < from + rows; i++) window.add(values[i]!, phases[i] ?? 0);
    const comparison = compare(reference, window, test);
    if (typeof comparison === "object") most = Math.max(most, comparison.effect);
  }
  // Each was compared with a whole that it is a part of.
  return (most * windows) / (windows - 1);
}
