// `sources`: where readings come from and how their time is treated.

import { z } from "zod";
import { fieldName } from "../../pipeline/operators/fields.js";
import type { SourceSpec } from "../task.js";
import { durationMs, durationWithin } from "../units.js";
import { checks, dedupe } from "./checks.js";
import { decode } from "./decode.js";
import { decodeProblems, settleDecode } from "./decode-keys.js";
import { name, named } from "./names.js";
import { time } from "./time.js";
import { convert, text } from "./values.js";

const DAY_MS = 86_400_000;
const FILTER = /^(?:(?:[^+#/]*|\+)\/)*(?:[^+#/]*|\+|#)$/;
const FILTER_RULE = "expected an MQTT topic filter such as air/+/hourly";

// From zero, because a source may be in order, or its clock exact.
const tolerance = durationWithin({ min: 0, max: 366 * DAY_MS });

const ENTITY_RULE = 'expected a template such as "{topic.1}", "{tag.room}" or "{device}"';
const ENTITY = /^(?:[A-Za-z0-9_-]|\{(?:device|topic\.\d{1,2}|tag\.[A-Za-z0-9_.:-]{1,64})\})+$/;

const entityTemplate = z.string({ error: ENTITY_RULE }).max(256).regex(ENTITY, { error: ENTITY_RULE });

const place = z.string().min(1).max(256);

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
    host: z
      .strictObject({
        every: durationWithin({ min: 1000, max: 3_600_000 })
          .prefault("10s")
          .describe("How often it is measured."),
      })
      .optional()
      .describe("The device measures itself: processor, memory, disk, network, temperature."),
    decode,
    fields: named(place, 256, fieldName)
      .optional()
      .describe("Where a field is found that is not under its own name: a path, a column or a name."),
    field: fieldName.optional().describe("The one field that the message is."),
    time: time.optional().describe("Where the event time is. The default depends on the format."),
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
    text,
    convert,
    entity: entityTemplate.optional().describe("Which thing a reading measures, if not as the task says."),
    id: place.optional().describe("Where in the message the id of the prediction is that it answers."),
    late: late.prefault({}).describe("What happens to readings out of order."),
    checks,
    dedupe,
  })
  .superRefine((source, context) => {
    for (const [key, message] of decodeProblems(source)) {
      context.addIssue({ code: "custom", path: [key], message });
    }
    if (source.host === undefined) return;
    const problem = (key: keyof typeof source, message: string) =>
      context.addIssue({ code: "custom", path: [key], message });
    if (source.mqtt !== undefined) problem("host", "is no topic: expected mqtt or host");
    if (source.decode.kind !== "json") problem("decode", "a device tells of itself in json");
  })
  .transform((source): SourceSpec => {
    const { mqtt, host, text, convert, entity, id, shared, checks, dedupe } = source;
    const { disorder, idle, future, ancient, allowed = 0, ...late } = source.late;
    return {
      ...{ mqtt, host: host && { everyMs: host.every }, ...settleDecode(source), text, convert, entity, id },
      ...{ isShared: shared, checks, dedupe },
      late: {
        ...late,
        allowedMs: allowed,
        disorderMs: disorder,
        idleMs: idle,
        futureMs: future,
        ancientMs: ancient,
      },
    };
  });

/** All sources by name. */
export const sources = named(source, 32)
  .refine((record) => Object.keys(record).length > 0, { error: "expected at least one source" })
  .describe("Where readings come from.");

/** Which thing a reading measures. */
export const entity = entityTemplate
  .prefault("{device}")
  .describe(
    "Which thing a reading measures: {device}, levels of the topic counted from 0, or {tag.NAME} of the message.",
  );

/** A reference to a source, a step or a join. */
export const from = name.describe("A source, a step or a join.");
