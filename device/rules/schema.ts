// `rules` of the device's config: what the owner wants to be told.

import { z } from "zod";
import { name, named } from "../../shared/task/schema/names.js";
import { durationMs } from "../../shared/task/units.js";
import { isTopic } from "../../shared/transport/topic-filter.js";
import { brokerShape, endpointOf } from "../broker.js";
import type { Hold, Rule } from "./rule.js";

const RULES_MAX = 100;

const HOLD_RULE = "expected a duration such as 30s, or {rows: 3}";

const hold = z
  .union([durationMs, z.strictObject({ rows: z.int().min(1).max(100_000) })], { error: HOLD_RULE })
  .transform(
    (value): Hold =>
      typeof value === "number" ? { kind: "time", ms: value } : { kind: "rows", rows: value.rows },
  );

const AT_ONCE: Hold = { kind: "rows", rows: 1 };

const line = z.number().min(-1e30).max(1e30);

const TOPIC_RULE = "expected a topic; {device}, {rule} and {entity} stand for their names";

const topic = z
  .string({ error: TOPIC_RULE })
  .max(512)
  .refine((text) => isTopic(text) && !/[{}]/.test(text.replace(/\{(?:device|rule|entity)\}/g, "")), {
    error: TOPIC_RULE,
  });

const publish = z
  .strictObject({
    ...brokerShape,
    topic: topic.prefault("headwater/{device}/alarm/{rule}/{entity}"),
    retain: z.boolean().prefault(false).describe("The broker keeps the last message of each topic."),
    payload: z.enum(["json", "onoff"]).prefault("json"),
    perMinute: z
      .int()
      .min(1)
      .max(6000)
      .prefault(60)
      .describe("Most messages a minute; beyond, only the latest of each entity."),
  })
  .transform(({ topic, retain, payload, perMinute, ...broker }) => ({
    ...{ topic, retain, payload, perMinute },
    endpoint: endpointOf(broker),
  }));

const PATTERNS_MAX = 100;
const ENTITY_RULE = `expected the name of an entity, or 1-${PATTERNS_MAX} of them in a list; * stands for any text`;

const entityPattern = z.string().min(1).max(256);

const rule = z
  .strictObject({
    of: z
      .string()
      .min(1)
      .max(256)
      .describe(
        "A column of the task (`headwater plan` lists them), prediction.value, prediction.probability or prediction.anomaly.",
      ),
    above: line.optional().describe("Raised by values above."),
    below: line
      .optional()
      .describe("Raised by values below; with above < below between them, else outside of them."),
    hysteresis: z
      .number()
      .min(0)
      .max(1e30)
      .prefault(0)
      .describe("How far back a value must come to clear the alarm."),
    for: hold.optional().describe("How long values must ask for the alarm: event time, or rows."),
    clearFor: hold.optional().describe("How long values must ask for its end."),
    stale: durationMs.optional().describe("Without a value for so long, the alarm is unknown."),
    entity: z
      .union([entityPattern, z.array(entityPattern)], { error: ENTITY_RULE })
      .transform((names) => (typeof names === "string" ? [names] : names))
      .refine(({ length }) => length > 0 && length <= PATTERNS_MAX, { error: ENTITY_RULE })
      .optional(),
    publish,
  })
  .refine(({ above, below }) => above !== undefined || below !== undefined, {
    error: 'expected "above", "below" or both',
  })
  .refine(({ above, below }) => above === undefined || above !== below, {
    error: "expected another number than above: between the two there is nothing",
    path: ["below"],
  })
  .refine(({ above, below, hysteresis }) => !neverClears(above, below, hysteresis), {
    error: "expected less than half of the span between below and above: the alarm would never clear",
    path: ["hysteresis"],
  });

/** The rules, in the order of the file. */
export const rulesSchema = named(rule, RULES_MAX, name)
  .prefault({})
  .transform((written): readonly Rule[] =>
    Object.entries(written).map(([name, { for: raiseAfter, clearFor, stale, entity, ...rest }]) => ({
      ...{ name, ...rest, above: rest.above, below: rest.below },
      raiseAfter: raiseAfter ?? AT_ONCE,
      clearAfter: clearFor ?? AT_ONCE,
      staleMs: stale,
      entities: entity,
    })),
  )
  .describe("Alarms on columns and predictions, published over MQTT.");

// Outside of two lines: to clear, a value must be `hysteresis` away from both.
function neverClears(above: number | undefined, below: number | undefined, hysteresis: number): boolean {
  return above !== undefined && below !== undefined && above > below && 2 * hysteresis > above - below;
}
