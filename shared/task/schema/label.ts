// `label`: what is predicted.

import { z } from "zod";
import { assert } from "../../assert.js";
import { fieldName } from "../../pipeline/operators/fields.js";
import type { LabelSpec } from "../task.js";
import { durationMs } from "../units.js";
import { scale } from "./scale.js";

const AHEAD_RULE = "expected a duration such as 1h, or {rows: 1}";

const ahead = z
  .union([durationMs, z.strictObject({ rows: z.int().min(1).max(100_000) })], { error: AHEAD_RULE })
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

const labelled = z
  .strictObject({
    forecast: forecast.optional(),
    field: field.optional(),
    scale: scale.describe(
      "How the label is scaled while training; metrics are always in the label's own unit.",
    ),
  })
  .refine((value) => (value.forecast === undefined) !== (value.field === undefined), {
    error: 'expected exactly one of "forecast" or "field"',
  })
  .transform(({ forecast, field, scale }): LabelSpec => {
    if (forecast !== undefined) return { kind: "forecast", ...forecast, scale };
    assert(field !== undefined, "a label is a forecast or a field");
    return { kind: "field", of: field.of, min: field.min, max: field.max, scale };
  });

/** What is predicted. */
export const label = z
  .union([
    z.literal("none").transform((): LabelSpec => ({ kind: "none", scale: { kind: "none" } })),
    labelled,
  ])
  .describe("What is predicted; none for an autoencoder, which learns the row itself.");
