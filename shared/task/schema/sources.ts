// `sources`: where readings come from and how their time is treated.

import { z } from "zod";
import { fieldName } from "../../pipeline/operators/fields.js";
import type { SourceSpec } from "../task.js";
import { durationMs, durationWithin } from "../units.js";
import { checks, dedupe } from "./checks.js";
import { name, named } from "./names.js";

const DAY_MS = 86_400_000;
const FILTER = /^(?:(?:[^+#/]*|\+)\/)*(?:[^+#/]*|\+|#)$/;
const FILTER_RULE = "expected an MQTT topic filter such as air/+/hourly";

// From zero, because a source may be in order, or its clock exact.
const tolerance = durationWithin({ min: 0, max: 366 * DAY_MS });

// Keys of nested objects and indices of arrays: "DS18B20.Temperature", "values[0]".
const PATH = /^[^.[\]]+(?:\.[^.[\]]+|\[\d{1,4}\])*$/;
const PATH_RULE = 'expected a path into the message such as "DS18B20.Temperature" or "values[0]"';

const path = z.string({ error: PATH_RULE }).max(256).regex(PATH, { error: PATH_RULE });

const timeField = z
  .strictObject({
    field: path.prefault("ts").describe("Where in the message the event time is."),
    unit: z
      .enum(["s", "ms", "iso"])
      .prefault("s")
      .describe("Unix seconds, Unix milliseconds, or ISO 8601 text with its zone."),
  })
  .transform((field) => ({ kind: "field" as const, ...field }));

const time = z.union([z.literal("arrival").transform(() => ({ kind: "arrival" as const })), timeField], {
  error: 'expected "arrival", or a field and its unit',
});

const late = z
  .strictObject({
    disorder: tolerance
      .prefault("0s")
      .describe("How far behind the newest event time a reading may come and still be put in order."),
    // biome-ignore lint/suspicious/noThenProperty: the task's own word; the value is never awaited.
    then: z
      .enum(["drop", "side", "update"])
      .prefault("drop")
      .describe(
        "A later reading is dropped, kept aside, or put in and what it changes made again; all are counted.",
      ),
    allowed: durationMs
      .optional()
      .describe("With update: how far behind the watermark a reading may still come."),
    idle: durationMs
      .prefault("1h")
      .describe("After this long without data a source no longer holds the watermark back."),
    future: tolerance.prefault("1h").describe("A reading this far ahead of the clock is refused."),
    ancient: durationMs
      .prefault("7300d")
      .describe("A reading this far behind the clock is refused: its clock was never set."),
  })
  .refine(({ then, allowed }) => (then === "update") === (allowed !== undefined), {
    error: '"then: update" and "allowed" go together: how late may a reading still be?',
    path: ["allowed"],
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
    decode: z
      .enum(["json", "number"])
      .prefault("json")
      .describe("A message is a JSON object (or an array of them), or one number as text."),
    fields: named(path, 256, fieldName)
      .optional()
      .describe("json: where a field is found that is not at the top under its own name."),
    field: fieldName.optional().describe("number: the field it is."),
    time: time.optional().describe("Where the event time is. Default: field ts, in seconds."),
    vectors: named(
      z.int().min(2, { error: "expected a length of at least 2: a single number is no vector" }).max(65_536),
      64,
      fieldName,
    )
      .prefault({})
      .describe("Vector fields and their lengths; every other field is one number."),
    shared: z
      .boolean()
      .prefault(false)
      .describe("Its readings are about every entity: the weather over all sites."),
    late: late.prefault({}).describe("What happens to readings out of order."),
    checks,
    dedupe,
  })
  .superRefine((source, context) => {
    const problem = (key: keyof typeof source, message: string) =>
      context.addIssue({ code: "custom", path: [key], message });
    if (source.decode === "json") {
      if (source.field !== undefined) problem("field", "goes with decode: number");
      return;
    }
    if (source.field === undefined) problem("field", "expected the field that the number is");
    if (source.fields !== undefined) problem("fields", "goes with decode: json");
    if (Object.keys(source.vectors).length > 0) problem("vectors", "a number is no vector");
    if (source.time?.kind !== "arrival") problem("time", 'expected "arrival": a number carries no time');
  })
  .transform(
    ({
      mqtt,
      decode,
      fields = {},
      field,
      time,
      vectors,
      shared,
      checks,
      dedupe,
      late: { disorder, idle, future, ancient, allowed = 0, ...late },
    }): SourceSpec => ({
      mqtt,
      // The check above has made sure that a number has its field.
      decode: decode === "json" ? { kind: decode, fields } : { kind: decode, field: field ?? "" },
      time: time ?? { kind: "field", field: "ts", unit: "s" },
      vectors,
      isShared: shared,
      checks,
      dedupe,
      late: {
        ...late,
        allowedMs: allowed,
        disorderMs: disorder,
        idleMs: idle,
        futureMs: future,
        ancientMs: ancient,
      },
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

/** A reference to a source, a step or a join. */
export const from = name.describe("A source, a step or a join.");
