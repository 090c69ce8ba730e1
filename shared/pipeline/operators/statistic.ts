// The statistics that windows and rolling features can be asked for, and how a window's extent is written.

import { z } from "zod";
import { unreachable } from "../../assert.js";
import { durationMs } from "../../task/units.js";
import type { Moments } from "../moments.js";
import type { Summary } from "../summary.js";

const QUANTILE = /^q\d\d$/;

const STATISTICS =
  "mean, std, min, max, count, sum, first, last, range, rms, skew, kurtosis, slope, median, iqr, mad, or a quantile such as q05 or q95";

/** A statistic's name; `std` is the population's (divided by the count), as scikit-learn and SciPy have it. */
export const statisticName = z.enum(["mean", "std", "min", "max", "count"]);

export type StatisticName = z.output<typeof statisticName>;

const PLAIN: ReadonlySet<string> = new Set(statisticName.options);

/** One statistic of a summary of at least one value. */
export function statisticOf(moments: Moments, name: StatisticName): number {
  switch (name) {
    case "mean":
      return moments.mean;
    case "std":
      return moments.std;
    case "min":
      return moments.min;
    case "max":
      return moments.max;
    case "count":
      return moments.count;
    default:
      return unreachable(name);
  }
}

/** What windows can be asked for beside: of the values' order, of their shape, and of their course over time. */
export const windowStatistic = z.union(
  [
    statisticName,
    z.enum(["sum", "first", "last", "range", "rms", "skew", "kurtosis", "slope", "median", "iqr", "mad"]),
    z.templateLiteral(["q", z.string().regex(/^\d\d$/)]),
  ],
  { error: `expected ${STATISTICS}` },
);

export type WindowStatistic = z.output<typeof windowStatistic>;

/** Whether a statistic is one of moments and extremes. */
export function isPlainStatistic(name: WindowStatistic): name is StatisticName {
  return PLAIN.has(name);
}

/** Whether a statistic needs the values themselves, in order. */
export function isOrderStatistic(name: WindowStatistic): boolean {
  return name === "median" || name === "iqr" || name === "mad" || QUANTILE.test(name);
}

/** Whether a statistic needs the shape or the trend of values, see `Summary`. */
export function isDeepStatistic(name: WindowStatistic): boolean {
  return name === "skew" || name === "kurtosis" || name === "slope";
}

/** Values in rising order, however they are kept. */
export interface Ordered {
  /** At share `p` of the way: type 7, as NumPy. */
  quantile(p: number): number;
  readonly iqr: number;
  /** Median of the absolute deviations from the median, unscaled. */
  readonly mad: number;
}

/** One statistic of at least one value, null where these values have none; `order` is there where one needs it. */
export function windowStatisticOf(
  summary: Summary,
  order: Ordered | undefined,
  name: WindowStatistic,
): number | null {
  if (order !== undefined && isOrderStatistic(name)) return orderStatisticOf(order, name);
  switch (name) {
    case "sum":
    case "first":
    case "last":
    case "range":
    case "rms":
      return summary[name];
    case "skew":
    case "kurtosis":
    case "slope":
      return summary[name] ?? null;
    case "mean":
    case "std":
    case "min":
    case "max":
    case "count":
      return statisticOf(summary.moments, name);
    default:
      return null;
  }
}

function orderStatisticOf(order: Ordered, name: WindowStatistic): number {
  if (name === "iqr" || name === "mad") return order[name];
  return order.quantile(name === "median" ? 0.5 : Number(name.slice(1)) / 100);
}

/** A stretch of event time, or of rows. */
export type Extent =
  | { readonly kind: "time"; readonly ms: number }
  | { readonly kind: "rows"; readonly rows: number };

/** Most rows a window counts. */
export const rowCount = z.int().min(1).max(100_000);

/** A window's length: event time. */
export const overParam = durationMs.optional().describe("Length in event time.");

/** A window's length: rows. */
export const rowsParam = rowCount.optional().describe("Length in rows.");

/** Exactly one of `over` and `rows`: for a schema's refinement. */
export function hasOneExtent({ over, rows }: WrittenExtent): boolean {
  return (over === undefined) !== (rows === undefined);
}

/** What to say when it has not. */
export const EXTENT_RULE = { error: 'expected exactly one of "over" or "rows"' };

interface WrittenExtent {
  readonly over?: number | undefined;
  readonly rows?: number | undefined;
}

/** The extent that was written. */
export function extentOf({ over, rows }: WrittenExtent): Extent {
  return over === undefined ? { kind: "rows", rows: rows ?? 1 } : { kind: "time", ms: over };
}

/** As in column names: "24h" for time, "30" for rows. */
export function extentText(extent: Extent): string {
  return extent.kind === "time" ? spanText(extent.ms) : `${extent.rows}`;
}

/** A span as in column names, in hours at most ("24h", never "1d"): the way lags are spoken of. */
export function spanText(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}
