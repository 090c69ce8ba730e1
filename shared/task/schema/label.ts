// `label`: what is predicted.

import { z } from "zod";
import { fieldName } from "../../pipeline/operators/fields.js";
import type { EventLabel, FeedbackLabel, FeedbackMatch, LabelSpec } from "../task.js";
import { durationMs, durationWithin, shareWithin } from "../units.js";
import { name } from "./names.js";
import { scale } from "./scale.js";

const YEAR_MS = 366 * 86_400_000;
const AHEAD_RULE = "expected a duration such as 1h, or {rows: 1}";
const ONE_HORIZON = `${AHEAD_RULE}: every further horizon is a task of its own`;

const ahead = z
  .union([durationMs, z.strictObject({ rows: z.int().min(1).max(100_000) })], {
    error: ({ input }) => (Array.isArray(input) ? ONE_HORIZON : AHEAD_RULE),
  })
  .transform((value) =>
    typeof value === "number"
      ? ({ kind: "time", ms: value } as const)
      : ({ kind: "rows", ...value } as const),
  )
  .describe("How far ahead: a duration, or a number of rows.");

const forecast = z
  .strictObject({ of: fieldName, ahead })
  .describe("The value of a field some time after the row.");

const bound = z.number().min(-1e12).max(1e12).optional();

const field = z
  .union(
    [
      fieldName.transform((of) => ({ of, min: undefined, max: undefined })),
      z.strictObject({ of: fieldName, min: bound, max: bound }),
    ],
    {
      error: "expected a field, or {of, min, max}",
    },
  )
  .describe("A field of the row itself: a number, clamped to [min, max], a class index, or 0 or 1.");

const labelSource = name.describe("The source that the labels come from; its time is not waited for.");
const code = z.union([z.string().max(256), z.int().min(-1e9).max(1e9)], {
  error: "expected a text of the source's list, or a whole number",
});
const codes = z.array(code).max(64);
const patience = durationWithin({ min: 0, max: YEAR_MS });

const event = z
  .strictObject({
    from: labelSource,
    of: fieldName.describe("The field that says what happened."),
    positive: codes.min(1).describe("What is predicted: these make a row 1."),
    censor: codes
      .prefault([])
      .describe("The thing was stopped or seen to: rows before it are 1 or unknown, never 0."),
    horizon: durationWithin({ min: 1, max: YEAR_MS }).describe("How far ahead of a row an event counts."),
    exclude: z
      .strictObject({ after: patience })
      .prefault({ after: "0s" })
      .describe("Rows so soon after any of these events are left out."),
    wait: patience.prefault("10m").describe("How late an event may come, in event time."),
    silence: durationMs
      .optional()
      .describe(
        "A pause in the measured rows longer than this was not observed: no 0 spans it. Default: idle of the features' source, at least three rows of a grid.",
      ),
  })
  .transform(({ horizon, exclude, wait, silence, ...event }) => ({
    kind: "event" as const,
    ...event,
    horizonMs: horizon,
    excludeMs: exclude.after,
    waitMs: wait,
    silenceMs: silence,
  }))
  .describe("Whether an event falls into the horizon: 1, 0 once that is certain, else no example.");

const MATCH_RULE = 'expected "id", "time" or {interval: {start, end}}';

const interval = z.strictObject({
  start: fieldName.describe("Start of a labelled stretch, in Unix seconds."),
  end: fieldName.describe("Its end, which it does not include."),
  span: durationMs
    .optional()
    .describe("How much time a row covers from its own on. Default: the rows' distance on their grid."),
});

const match = z
  .union([z.enum(["id", "time"]), z.strictObject({ interval })], { error: MATCH_RULE })
  .describe("What an answer names: a prediction's id, a row's event time, or a stretch of time.");

const feedback = z
  .strictObject({
    from: labelSource,
    of: fieldName.describe("The field that holds the answer."),
    match,
    purity: z
      .number()
      .min(0.5)
      .max(1)
      .optional()
      .describe("interval: share of a row that its label must cover. Default: 0.8."),
    wait: patience
      .prefault("24h")
      .describe("How late an answer may come, in event time; of several the last said counts."),
    classes: codes
      .min(2)
      .optional()
      .describe("What class 0, 1, ... is called in the field. Default: the field is the label itself."),
  })
  .refine(({ match, purity }) => purity === undefined || typeof match !== "string", {
    error: "goes with match: {interval}",
    path: ["purity"],
  })
  .transform(({ match, purity = 0.8, wait, ...feedback }) => ({
    kind: "feedback" as const,
    ...feedback,
    match: settleMatch(match, purity),
    waitMs: wait,
    classes: feedback.classes,
  }))
  .describe("Ground truth or an operator's word, said later.");

function settleMatch(written: z.output<typeof match>, purity: number): FeedbackMatch {
  if (typeof written === "string") return { kind: written };
  const { start, end, span } = written.interval;
  return { kind: "interval", start, end, spanMs: span, purity };
}

const none = z
  .strictObject({
    threshold: shareWithin({ min: 0.5, max: 0.9999 })
      .optional()
      .describe("A row is an anomaly when its error exceeds this share of those on the held-out rows."),
  })
  .describe("An autoencoder learns the row itself.");

const KINDS = ["forecast", "field", "event", "feedback", "none"] as const;

const labelled = z
  .strictObject({
    forecast: forecast.optional(),
    field: field.optional(),
    event: event.optional(),
    feedback: feedback.optional(),
    none: none.optional(),
    scale: scale.describe(
      "How the label is scaled while training; metrics are always in the label's own unit.",
    ),
  })
  .refine((value) => KINDS.filter((kind) => value[kind] !== undefined).length === 1, {
    error: 'expected exactly one of "forecast", "field", "event", "feedback" or "none"',
  })
  .transform(({ forecast, field, event, feedback, none, scale }): LabelSpec => {
    if (forecast !== undefined) return { kind: "forecast", ...forecast, scale };
    if (event !== undefined) return { ...event, scale } satisfies EventLabel;
    if (feedback !== undefined) return { ...feedback, scale } satisfies FeedbackLabel;
    if (field !== undefined) return { kind: "field", of: field.of, min: field.min, max: field.max, scale };
    return { kind: "none", threshold: none?.threshold, scale };
  });

/** What is predicted. */
export const label = z
  .union([
    z
      .literal("none")
      .transform((): LabelSpec => ({ kind: "none", threshold: undefined, scale: { kind: "none" } })),
    labelled,
  ])
  .describe("What is predicted; none for an autoencoder, which learns the row itself.");
