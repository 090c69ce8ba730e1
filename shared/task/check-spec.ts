// What a source's values must be like, in its parsed form.

/** What a field's values must be like, and what becomes of others. */
export interface CheckSpec {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly oneOf?: readonly number[] | undefined;
  /** A value unchanged for this long is no measurement any more. */
  readonly stuckMs: number | undefined;
  /** Fastest change from the last good value. */
  readonly change: { readonly max: number; readonly perMs: number } | undefined;
  /** Only rises: a fall is a reset, counted, or it fails. */
  readonly counter?: "reset" | "strict" | undefined;
  readonly required: boolean;
  /** The value becomes missing or the nearest limit, or the whole reading is set aside. */
  readonly onFail: "missing" | "clip" | "quarantine";
}

/** Two readings of one entity are one when they are alike in these fields and this close in event time. */
export interface DedupeSpec {
  readonly by: readonly string[];
  readonly withinMs: number;
}
