// Rules by which one window follows the other: at most one is open.

import type { PipelineRow } from "../../types.js";
import type { WindowGrid } from "./grid.js";
import type { Pane } from "./pane.js";

/** Where windows begin and end that never overlap. */
export interface SpanRule {
  /** Most rows of a window. */
  readonly rowsMax: number;
  /** Whether a row is in a window; undefined: as the row before it was. */
  belongs(row: PipelineRow): boolean | undefined;
  /** Event time from which no row is in this window any more. */
  endMs(open: Pane): number;
}

/** A window lasts until nothing has come for `gapMs`, or until it is `maxMs` long. */
export function sessions(gapMs: number, maxMs: number): SpanRule {
  return {
    rowsMax: Number.POSITIVE_INFINITY,
    belongs: () => true,
    endMs: ({ firstMs, lastMs }) => Math.min(lastMs + gapMs, firstMs + maxMs),
  };
}

/** A condition on one field. */
export interface Condition {
  readonly position: number;
  /** One of these, where there are any. */
  readonly is: readonly number[] | undefined;
  readonly above: number | undefined;
  readonly below: number | undefined;
}

/** A window lasts while the condition holds, or until it is `maxMs` long. Where the field is missing nothing changes. */
export function states(condition: Condition, maxMs: number): SpanRule {
  const { position, is, above = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY } = condition;
  return {
    rowsMax: Number.POSITIVE_INFINITY,
    belongs({ values }) {
      const value = values[position];
      if (typeof value !== "number") return undefined;
      return value > above && value < below && (is === undefined || is.includes(value));
    },
    endMs: ({ firstMs }) => firstMs + maxMs,
  };
}

/** Windows of a grid that do not overlap. */
export function tumbling(grid: WindowGrid): SpanRule {
  return {
    rowsMax: Number.POSITIVE_INFINITY,
    belongs: () => true,
    endMs: ({ firstMs }) => grid.endOf(grid.lastOver(firstMs)),
  };
}

/** Windows of so many rows. */
export function counted(rowsMax: number): SpanRule {
  return { rowsMax, belongs: () => true, endMs: () => Number.POSITIVE_INFINITY };
}
