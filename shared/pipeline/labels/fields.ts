// What a label reads, and from where.

import { unreachable } from "../../assert.js";
import type { LabelSpec } from "../../task/task.js";

/** Fields a label reads: one of the features' own rows, or some of a source of labels. */
export interface LabelReads {
  readonly row: string | undefined;
  /** First the field that holds the label. */
  readonly source: readonly string[];
}

/** What the label reads. */
export function labelReads(label: LabelSpec): LabelReads {
  switch (label.kind) {
    case "forecast":
    case "field":
      return { row: label.of, source: [] };
    case "none":
      return { row: undefined, source: [] };
    case "event":
      return { row: undefined, source: [label.of] };
    case "feedback": {
      const { of, match } = label;
      return { row: undefined, source: match.kind === "interval" ? [of, match.start, match.end] : [of] };
    }
    default:
      return unreachable(label);
  }
}

/** The source that brings labels, undefined when they come with the rows. */
export function labelSourceOf(label: LabelSpec): string | undefined {
  switch (label.kind) {
    case "forecast":
    case "field":
    case "none":
      return undefined;
    case "event":
    case "feedback":
      return label.from;
    default:
      return unreachable(label);
  }
}
