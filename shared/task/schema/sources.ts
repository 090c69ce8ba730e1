// `sources`: where readings come from and how their time is treated.

import { z } from "zod";
import { fieldName } from "../../pipeline/operators/fields.js";
import type { SourceSpec } from "../task.js";
import { durationMs, durationWithin } from "../units.js";
import { name, named } from "./names.js";

const DAY_MS = 86_400_000;
const FILTER = /^(?:(?:[^+#/]*|\+)\/)*(?:[^+#/]*|\+|#)$/;
const FILTER_RULE = "expected an MQTT topic filter such as air/+/hourly";

// From zero, because a source may be in order, or its clock exact.
const tolerance = durationWithin({ min: 0, max: 366 * DAY_MS });

const time = z.strictObject({
  field: z
    .string()
    .min(1)
    .max(128)
    .prefault("ts")
    .describe("Field of the message that holds the event time."),
  unit: z
    .enum(["s", "ms", "iso"])
    .prefault("s")
    .describe("Unix seconds, Unix milliseconds, or ISO 8601 text."),
});

const late = z.strictObject({
  disorder: tolerance
    .prefault("0s")
    .describe("How far behind the newest event time a reading may come and still be put in order."),
  // biome-ignore lint/suspicious/noThenProperty: the task's own word; the value is never awaited.
  then: z
    .enum(["drop", "side"])
    .prefault("drop")
    .describe("A later reading is dropped, or kept aside; both are counted."),
  idle: durationMs
    .prefault("1h")
    .describe("After this long without data a source no longer holds the watermark back."),
  future: tolerance.prefault("1h").describe("A reading this far ahead of the clock is refused."),
});

const source = z
  .strictObject({
    mqtt: z
      .string({ error: FILTER_RULE })
      .min(1)
      .max(512)
      .regex(FILTER, { error: FILTER_RULE })
      .optional()
      .describe("Topic filter. Not part of any model: changing it keeps models valid."),
    decode: z.literal("json").prefault("json").describe("How a message becomes fields."),
    time: time.prefault({}).describe("Where the event time is."),
    vectors: named(z.int().min(1).max(65_536), 64, fieldName)
      .prefault({})
      .describe("Vector fields and their lengths; every other field is one number."),
    late: late.prefault({}).describe("What happens to readings out of order."),
  })
  .transform(
    ({ mqtt, late: { disorder, idle, future, ...late }, ...rest }): SourceSpec => ({
      mqtt,
      ...rest,
      late: { ...late, disorderMs: disorder, idleMs: idle, futureMs: future },
    }),
  );

/** All sources by name. */
export const sources = named(source, 32)
  .refine((record) => Object.keys(record).length > 0, { error: "expected at least one source" })
  .describe("Where readings come from.");

const ENTITY_RULE = 'expected a template such as "{topic.1}" or "{device}"';

/** Which thing a reading measures. */
export const entity = z
  .string({ error: ENTITY_RULE })
  .max(256)
  .regex(/^(?:[A-Za-z0-9_-]|\{(?:device|topic\.\d{1,2})\})+$/, { error: ENTITY_RULE })
  .prefault("{device}")
  .describe("Which thing a reading measures: {device}, or levels of the topic, counted from 0.");

/** A reference to a source or a step. */
export const from = name.describe("A source or a step.");
