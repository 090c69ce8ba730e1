// Streams that meet, in their parsed form.

/** Rows of `left`, each with what other streams say about the same entity at that time. */
export interface JoinSpec {
  readonly left: string;
  readonly rights: readonly JoinRight[];
}

/** What a join takes from one other stream. `from` names a source, a step or a join. */
export type JoinRight = AsofRight | IntervalRight;

/** The newest row at or before the left one's time, at most `backMs` older. */
export interface AsofRight {
  readonly kind: "asof";
  readonly from: string;
  /** Field of the joined row -> field of this stream. */
  readonly take: Readonly<Record<string, string>>;
  readonly backMs: number;
  /** Without such a row: the left row is dropped, has missing values, or the last known whatever its age. */
  readonly miss: "drop" | "mask" | "hold";
  /**
   * Rows are said in advance, for a time of their own: the one wanted is for `aheadMs` after the left row's time, and
   * was known by then. `field` holds that time, in Unix seconds.
   */
  readonly valid: { readonly field: string; readonly aheadMs: number } | undefined;
}

/** Statistics of the rows in [t - beforeMs, t + afterMs] around the left row's time t. */
export interface IntervalRight {
  readonly kind: "interval";
  readonly from: string;
  /** Field -> statistics; they become `temp.mean`, `temp.count`, ... */
  readonly get: Readonly<Record<string, readonly IntervalStatistic[]>>;
  readonly beforeMs: number;
  readonly afterMs: number;
  /** Without any row: the left row is dropped, or has missing values (a count is 0). */
  readonly miss: "drop" | "mask";
}

export type IntervalStatistic = "mean" | "std" | "min" | "max" | "count" | "last";
