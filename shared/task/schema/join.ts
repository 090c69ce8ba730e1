// `join`: rows of one stream, each with what others say about the same entity at that time.

import { z } from "zod";
import { fieldName } from "../../pipeline/operators/fields.js";
import type { AsofRight, IntervalRight, JoinSpec } from "../join-spec.js";
import { durationMs, durationWithin } from "../units.js";
import { name, named } from "./names.js";

const DAY_MS = 86_400_000;
const FIELDS_MAX = 256;

const span = durationWithin({ min: 0, max: 366 * DAY_MS });

const take = z
  .union([z.array(fieldName).min(1).max(FIELDS_MAX), named(fieldName, FIELDS_MAX, fieldName)], {
    error: "expected a list of fields, or a map from new names to fields",
  })
  .transform((written) =>
    Array.isArray(written) ? Object.fromEntries(written.map((field) => [field, field])) : written,
  )
  .describe("Fields that are taken over: a list, or new name -> field.");

const asof = z
  .strictObject({
    take,
    back: durationMs.describe("Oldest row that still counts."),
    miss: z
      .enum(["drop", "mask", "hold"])
      .prefault("drop")
      .describe("Without such a row: drop the left one, leave the values missing, or hold the last known."),
    valid: fieldName
      .optional()
      .describe("Rows are forecasts for the time in this field (Unix seconds), known at their own time."),
    ahead: span.optional().describe("With valid: the time that is wanted, after the left row's."),
  })
  .refine(({ valid, ahead }) => (valid === undefined) === (ahead === undefined), {
    error: 'expected "valid" and "ahead" together',
  })
  .describe("The newest row at or before the left one's time.");

const interval = z
  .strictObject({
    get: z
      .record(
        fieldName,
        z
          .array(z.enum(["mean", "std", "min", "max", "count", "last"]))
          .min(1)
          .max(6),
      )
      .describe("Field -> statistics. They become the fields `temp.mean`, `temp.count`, ..."),
    before: span.prefault("0s").describe("How far before the left row's time the interval begins."),
    after: span.prefault("0s").describe("How far after the left row's time the interval ends."),
    miss: z.enum(["drop", "mask"]).prefault("drop"),
  })
  .describe("Statistics of the rows around the left one's time, both ends included.");

// A task is hashed from its parsed form and parsed again from canonical JSON: the order of a map's keys must not tell.
function sorted<Value>(map: Readonly<Record<string, Value>>): readonly (readonly [string, Value])[] {
  return Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const join = z
  .strictObject({
    left: name.describe("The source, step or join whose rows go on."),
    asof: named(asof, 16).prefault({}),
    interval: named(interval, 16).prefault({}),
  })
  .refine((written) => Object.keys({ ...written.asof, ...written.interval }).length > 0, {
    error: 'expected "asof", "interval" or both',
  })
  .transform(
    ({ left, asof, interval }): JoinSpec => ({
      left,
      rights: [
        ...sorted(asof).map(([from, { take, back, miss, valid, ahead = 0 }]): AsofRight => {
          const forecast = valid === undefined ? undefined : { field: valid, aheadMs: ahead };
          return { kind: "asof", from, take, backMs: back, miss, valid: forecast };
        }),
        ...sorted(interval).map(([from, { get, before, after, miss }]): IntervalRight => {
          return { kind: "interval", from, get, beforeMs: before, afterMs: after, miss };
        }),
      ],
    }),
  );

/** All joins by name. */
export const joins = named(join, 16)
  .prefault({})
  .describe("Streams that meet: rows of one with values of others.");
