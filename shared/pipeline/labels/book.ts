// What a source of labels has said about one entity, and what that makes of its rows. One file per kind.

import type { Stateful } from "../state.js";
import type { FeatureRow, PipelineRow } from "../types.js";
import type { HeardLabel } from "./labeller.js";

/** How far things have come when a row is judged. */
export interface Progress {
  readonly watermarkMs: number;
  /** No row before this time will come any more. */
  readonly promisedMs: number;
  /** The data has ended: what is known now is all. */
  readonly isEnd: boolean;
}

/** A label, or why there is none, as it is counted; undefined: it is too early to say. */
export type Verdict = number | `labels.${string}` | undefined;

/**
 * Holds what was said for as long as it may still matter. Rows are expected, judged and left in rising event time. A
 * verdict, once given, depends on nothing that comes within the time that the task waits for labels.
 */
export interface LabelBook extends Stateful {
  /** From a row's event time to the last thing its label depends on. */
  readonly reachMs: number;
  /** Sees every row as it comes, with features or without. */
  see(row: PipelineRow): void;
  /** The row will be judged. */
  expect(row: FeatureRow): void;
  /** The oldest of the expected rows has been judged, or given up. */
  leave(): void;
  /** As `Labeller.hear`. */
  hear(heard: HeardLabel): boolean;
  judge(row: FeatureRow, progress: Progress): Verdict;
  /** The earliest watermark at which the row may have a verdict. */
  dueMs(row: FeatureRow): number;
  /** No row before `floorMs` will be judged any more: forgets what matters to none, and counts what never did. */
  forget(floorMs: number): void;
  /** While no row waits: the earliest watermark that would let something be forgotten. */
  staleMs(): number;
}
