// What the watch over features takes and tells.

import type { DriftTest } from "./compare.js";

/** A row's features, unscaled, one element per column; NaN where a value is missing. Every `FeatureRow` is one. */
export interface DriftRow {
  /** Event time. */
  readonly timeMs: number;
  readonly features: Float32Array;
}

/** How closely columns are watched. */
export interface DataDriftOptions {
  /** Names of the columns, in the order of a row's features. */
  readonly columns: readonly string[];
  /** Rows of a window: every so many, columns are tested. */
  readonly windowRows: number;
  /** What numbers are tested with; columns of few values are always counted and tested by chi-square. */
  readonly test: "ks" | "psi";
  /** Share of false discoveries among the columns told to differ (Benjamini and Hochberg 1995). */
  readonly alpha: number;
  /** Least effect: Wasserstein distance in standard deviations of the reference, or Jensen-Shannon distance of categories. */
  readonly floor: { readonly numbers: number; readonly categories: number };
  /** Windows in a row that must differ. */
  readonly consecutive: number;
  /** Rows are compared with reference rows of the same phase of this season (a day, a week). */
  readonly seasonMs?: number | undefined;
}

/** What a task gets that asks for nothing else, but for its columns. */
export const DATA_DRIFT_DEFAULTS: Omit<DataDriftOptions, "columns"> = {
  windowRows: 1_000,
  test: "ks",
  alpha: 0.01,
  floor: { numbers: 0.2, categories: 0.1 },
  consecutive: 2,
};

/** Why a column cannot be tested. */
export type NotTestable =
  /** Nothing to compare with yet. */
  | "no-reference"
  /** The reference is shorter than a season, or has none of the window's phases. */
  | "season"
  /** The reference has one value only. */
  | "constant"
  /** Values follow one another so closely that the reference, or the longest window, holds too few independent ones. */
  | "autocorrelated"
  /** Too many values are missing. */
  | "missing"
  /** Its window is longer than others' and still open: what was said of it last stands. */
  | "window-open";

/** One column's verdict at the end of a window. */
export type ColumnDrift =
  | {
      readonly verdict: "ok" | "drift";
      readonly test: DriftTest;
      /** D, the index, or chi-square. */
      readonly statistic: number;
      readonly p: number;
      /** `p` adjusted for the number of columns tested. */
      readonly adjusted: number;
      /** How much, where `p` is how surely: see `floor`. Never above 1e6. */
      readonly effect: number;
      /** What the effect must exceed: the floor, or what windows of the reference itself differed by. */
      readonly floor: number;
      /** Independent values the window and the reference are worth. */
      readonly points: number;
      readonly referencePoints: number;
      /** Windows in a row that differed, this one included. */
      readonly differed: number;
    }
  | { readonly verdict: "not-testable"; readonly reason: NotTestable };

/** What the end of a window tells. */
export interface DriftWindow {
  /** Event times of its first and last row. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly rows: number;
  /** One per column, in the order of `columns`. */
  readonly columns: readonly ColumnDrift[];
}
