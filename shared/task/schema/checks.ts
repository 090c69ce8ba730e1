// `checks` and `dedupe`: what a source's values must be like, and what makes two readings one.

import { z } from "zod";
import { fieldName } from "../../pipeline/operators/fields.js";
import type { CheckSpec, DedupeSpec } from "../check-spec.js";
import { durationMs } from "../units.js";
import { named } from "./names.js";

const FIELDS_MAX = 256;

const check = z
  .strictObject({
    min: z.number().optional(),
    max: z.number().optional(),
    oneOf: z.array(z.number()).min(1).max(1_000).optional().describe("The only values there are."),
    stuck: durationMs
      .optional()
      .describe("A value that has not changed for this long is no measurement any more."),
    change: z
      .strictObject({ max: z.number().positive(), per: durationMs })
      .optional()
      .describe("Fastest change from the last good value: {max: 5, per: 1m}."),
    counter: z
      .enum(["reset", "strict"])
      .optional()
      .describe("Only rises: reset counts a fall and lets it pass, strict fails it."),
    required: z.boolean().prefault(false).describe("A reading without a value fails."),
    onFail: z
      .enum(["missing", "clip", "quarantine"])
      .prefault("missing")
      .describe(
        "The value becomes missing, is moved to the nearest limit, or the whole reading is set aside.",
      ),
  })
  .refine(({ min = -Infinity, max = Infinity }) => min <= max, { error: "expected min at most max" })
  .refine(({ onFail, min, max }) => onFail !== "clip" || min !== undefined || max !== undefined, {
    error: "clip needs min or max to move to",
    path: ["onFail"],
  })
  .transform(
    ({ stuck, change, ...rest }): CheckSpec => ({
      ...rest,
      stuckMs: stuck,
      change: change && { max: change.max, perMs: change.per },
    }),
  );

/** Checks by field. */
export const checks = named(check, FIELDS_MAX, fieldName)
  .prefault({})
  .describe("What values must be like, field by field, before anything is made of them.");

/** What makes two readings of one entity one. */
export const dedupe = z
  .strictObject({
    by: z
      .array(fieldName)
      .min(1)
      .max(16)
      .describe("Fields that are alike in both, such as a sequence number."),
    within: durationMs.prefault("10m").describe("How far apart in event time the two may be."),
  })
  .transform(({ by, within }): DedupeSpec => ({ by, withinMs: within }))
  .optional()
  .describe("What makes two readings one, besides source, entity and time.");
