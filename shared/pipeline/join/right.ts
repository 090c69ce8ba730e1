// One right side of a join: remembers rows until no left row can ask for them any more.

import type { Counters } from "../../counters.js";
import type { Stateful } from "../state.js";
import type { PipelineRow, Value } from "../types.js";

/** Rows one right side remembers; beyond, the oldest goes, counted as `join.full`. */
export const RIGHT_ROWS_MAX = 10_000;

/** A joined row in the making: the left row's values first. */
export interface Draft {
  readonly timeMs: number;
  readonly values: Value[];
  /** Which values were filled in rather than measured. */
  readonly filled: boolean[];
}

/** One right side at work on one entity. */
export interface RightSide extends Stateful {
  /** How far beyond a left row's time its rows count. */
  readonly afterMs: number;
  /** Rows it holds that `collapse` might let go. */
  readonly size: number;
  /** Takes its next row. */
  push(row: PipelineRow): void;
  /** Adds its fields to the draft; false when the left row goes for want of them. Drafts come in rising time. */
  complete(draft: Draft): boolean;
  /** No left row before `leftMs` will ask any more. */
  collapse(leftMs: number): void;
}

/** What a right side is made from. */
export interface RightContext {
  readonly counters: Counters;
}
