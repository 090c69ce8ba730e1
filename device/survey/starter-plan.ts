// What a first task makes of the fields of a survey: what is copied, rated and forecast, and on which grid.

import { HeadwaterError } from "../../shared/error.js";
import { nameFields } from "./field-names.js";
import type { FieldSurvey } from "./field-survey.js";
import { roundUp } from "./round.js";
import type { Survey } from "./survey.js";

/** Columns that are copied; more make a large first model of little use. */
const COPIED_MAX = 64;

/**
 * Rows further apart are counted, not timed: horizon and longest window are thirteen of them, and the gap of a split is a year at
 * most.
 */
const EVERY_MAX_MS = 28 * 86_400_000;

/** What becomes of the fields. */
export interface StarterPlan {
  readonly names: ReadonlyMap<string, string>;
  /** What features copy. */
  readonly copied: readonly FieldSurvey[];
  /** Counters, of which the rate is a feature where event time is known. */
  readonly rated: readonly FieldSurvey[];
  readonly label: FieldSurvey;
  readonly isBinary: boolean;
  /** Of the grid; undefined where event time tells nothing: then everything counts rows. */
  readonly grid: { readonly everyMs: number; readonly holdMs: number } | undefined;
  readonly aheadMs: number;
  readonly windowMs: number;
}

/** Plans a first task. Throws `data-invalid` when nothing in the data varies. */
export function planOf(survey: Survey): StarterPlan {
  const { fields, spacing } = survey;
  const of = (...roles: readonly FieldSurvey["role"][]) => fields.filter(({ role }) => roles.includes(role));
  // Where sensors say only how they are, that is what they measure.
  const numbers = of("number").length > 0 ? of("number") : of("diagnostic");
  const label = mostTelling(numbers) ?? mostTelling(of("flag"));
  if (label === undefined)
    throw new HeadwaterError(
      "data-invalid",
      `nothing to forecast in ${survey.rows} rows: no number or flag varies (${fields.map(({ path, role }) => `${path}: ${role}`).join(", ")})`,
    );
  const everyMs = spacing === undefined || spacing.everyMs > EVERY_MAX_MS ? undefined : spacing.everyMs;
  return {
    names: nameFields(fields.map(({ path }) => path)),
    copied: [label, ...[...numbers, ...of("flag", "words")].filter((field) => field !== label)].slice(
      0,
      COPIED_MAX,
    ),
    rated: everyMs === undefined ? [] : of("counter").slice(0, COPIED_MAX),
    ...{ label, isBinary: label.role === "flag" },
    grid:
      everyMs === undefined
        ? undefined
        : { everyMs, holdMs: roundUp(Math.max(3 * everyMs, spacing?.longMs ?? 0)) },
    aheadMs: everyMs === undefined ? 0 : everyMs * (everyMs < 3_600_000 ? 6 : 1),
    windowMs: 12 * (everyMs ?? 0),
  };
}

const MEASURED = /temp|pm\d|co2|power|energy|load|humid|level|flow|press|speed|vibr|current|demand|noise/i;

/** The field that varies most often and most finely; of equals one whose name says that it is measured, then the first. */
function mostTelling(fields: readonly FieldSurvey[]): FieldSurvey | undefined {
  const score = ({ path, changes, present, distinct }: FieldSurvey) =>
    changes * present * Math.min(1, distinct / 20) + (MEASURED.test(path) ? 0.3 : 0);
  return fields.reduce<FieldSurvey | undefined>(
    (best, field) => (best === undefined || score(field) > score(best) ? field : best),
    undefined,
  );
}
