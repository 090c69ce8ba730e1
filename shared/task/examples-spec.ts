// What becomes an example: its label, and which rows are kept, for whom.

import type { ScaleSpec } from "./scale-spec.js";

export type LabelSpec = ForecastLabel | FieldLabel | NoLabel | EventLabel | FeedbackLabel;

/** An autoencoder learns the row itself. */
export interface NoLabel {
  readonly kind: "none";
  /** A row is an anomaly beyond this quantile of the errors on held-out rows; undefined: nothing is called one. */
  readonly threshold: number | undefined;
  readonly scale: ScaleSpec;
}

/** The value of field `of` at event time + `aheadMs` (or that many rows later). */
export interface ForecastLabel {
  readonly kind: "forecast";
  readonly of: string;
  readonly ahead:
    | { readonly kind: "time"; readonly ms: number }
    | { readonly kind: "rows"; readonly rows: number };
  readonly scale: ScaleSpec;
}

/** A field of the row itself: a number, clamped to [min, max], or a class index 0..classes-1, or 0 or 1. */
export interface FieldLabel {
  readonly kind: "field";
  readonly of: string;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly scale: ScaleSpec;
}

/** A value that a field may have: the number itself, or one of the texts its source lists. */
export type Code = string | number;

/** 1 when a positive event falls in (t, t + horizonMs], 0 when that time has passed under observation without one. */
export interface EventLabel {
  readonly kind: "event";
  /** The source of the events, and the field that says what happened. */
  readonly from: string;
  readonly of: string;
  readonly positive: readonly Code[];
  /** The entity was stopped or seen to: without a positive event in the horizon nothing is known of the row. */
  readonly censor: readonly Code[];
  readonly horizonMs: number;
  /** Rows in [event, event + excludeMs) are left out: the entity is under repair. */
  readonly excludeMs: number;
  /** How long after its event time (watermark) an event may still come. */
  readonly waitMs: number;
  /** An entity without a measured row for longer than this was not observed; undefined: settled from its source. */
  readonly silenceMs: number | undefined;
  readonly scale: ScaleSpec;
}

/** What somebody says later: ground truth, or an operator's word. */
export interface FeedbackLabel {
  readonly kind: "feedback";
  /** The source of the answers, and the field that holds them. */
  readonly from: string;
  readonly of: string;
  readonly match: FeedbackMatch;
  /** How long after the row's event time (watermark) an answer may come; until then the last one said counts. */
  readonly waitMs: number;
  /** What class 0, 1, ... is called in the field; undefined: the field holds the label itself. */
  readonly classes: readonly Code[] | undefined;
  readonly scale: ScaleSpec;
}

export type FeedbackMatch =
  /** By the prediction's id. */
  | { readonly kind: "id" }
  /** By entity and event time. */
  | { readonly kind: "time" }
  | IntervalMatch;

/** Stretches [start, end) of time with one label each, in Unix seconds. */
export interface IntervalMatch {
  readonly kind: "interval";
  readonly start: string;
  readonly end: string;
  /** A row covers [t, t + spanMs); undefined: the distance of the rows' grid, or the moment t. */
  readonly spanMs: number | undefined;
  /** Share of the row's span that its most frequent label must cover. */
  readonly purity: number;
}

export interface RowsSpec {
  /** At most one example per this much event time, undefined = every row. */
  readonly everyMs: number | undefined;
  readonly keep: KeepSpec;
  readonly split: SplitSpec;
}

/** Bounds of the example store; the oldest go first. */
export interface KeepSpec {
  readonly rows: number;
  /** Train rows that stay of all that were too old for `rows`, drawn evenly; 0: none. */
  readonly reservoir: number;
  /** `class`: as many of every class. */
  readonly balance: "none" | "class";
  readonly bytes: number;
  readonly ageMs: number | undefined;
}

/** Who an example is for. A pure function of the example, so it never changes sides. */
export interface SplitSpec {
  readonly test: TestSpec;
  readonly validation: ValidationSpec;
  /** Examples this close (event time) to another side's are left out. */
  readonly gapMs: number;
}

export type TestSpec =
  /** Event time at or after. */
  | { readonly kind: "from"; readonly fromMs: number }
  /** The last share of every block of time: a stream has no end to count from. */
  | { readonly kind: "last"; readonly share: number; readonly blockMs: number }
  /** A share of the entities, by their names. */
  | { readonly kind: "entity"; readonly share: number }
  /** A share of the sessions: an entity's rows without a pause longer than `pauseMs`. */
  | { readonly kind: "session"; readonly share: number; readonly pauseMs: number }
  /** The data says so. */
  | { readonly kind: "given" }
  | { readonly kind: "none" };

/** Share of non-test examples kept for validation: whole blocks of time, whole entities, or single examples. */
export interface ValidationSpec {
  readonly share: number;
  readonly by: "time" | "entity" | "example";
  /** Length of one validation block of time. */
  readonly blockMs: number;
}
