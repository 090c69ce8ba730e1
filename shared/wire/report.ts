// What a device says of its model and its data. Sums over everything since the pair of versions was taken up, so that only
// the last report matters. No row leaves the device, and no name but those of columns.

import { z } from "zod";
import { metricSumsSchema } from "./metric-sums.js";

/** Most columns that a report names: those that have drifted furthest. */
export const REPORTED_COLUMNS_MAX = 32;
/** Most versions that a report names as failed: the newest. */
export const REPORTED_FAILURES_MAX = 16;
/** Most characters of a reason, and of what the engine or the disk said. */
export const FAILURE_REASON_MAX = 64;
export const FAILURE_DETAIL_MAX = 160;

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const sum = z.number();
const share = z.number().min(0).max(1);
const name = z.string().max(200);

const sums = metricSumsSchema
  .extend({ squaredError: sum.min(0), absoluteError: sum.min(0) })
  .refine(isPossible, "more decisions than rows");

/** One version on this device. */
const versionReport = z.object({
  version: count,
  /** Rows it answered, how many answers were no finite numbers, and the time all of them took. */
  rows: count,
  invalid: count,
  totalUs: count,
  /** Over the rows whose label has come and that both versions have answered, when there are two. */
  labelled: sums,
});

export const reportSchema = z.object({
  v: z.literal(1),
  /** Of the release that the device follows; 0 = none yet. */
  sequence: count,
  /** Time since it has followed it. */
  ageMs: count,
  /** What makes the predictions; null = nothing. */
  serving: versionReport.nullable(),
  /** What is scored beside it: the version in shadow, or stable while another is served; null = nothing. */
  beside: versionReport.nullable(),
  /** Loss of `beside` minus loss of `serving` per labelled row: sum and sum of squares. */
  paired: z.object({ rows: count, sum, squares: sum.min(0) }),
  /** The newest labelled rows, as many as the task's window has. */
  window: sums,
  /** Versions that did not work here, or could not be taken up, newest first. */
  failed: z.array(count).max(REPORTED_FAILURES_MAX),
  /** Why, as far as it is known; absent from devices of before. */
  failures: z
    .array(
      z.object({
        version: count,
        reason: z.string().max(FAILURE_REASON_MAX),
        detail: z.string().max(FAILURE_DETAIL_MAX),
      }),
    )
    .max(REPORTED_FAILURES_MAX)
    .optional(),
  /** Of data: columns with enough rows to be tested, how many of them drift, and those that drift furthest. */
  data: z.object({
    tested: count,
    drifting: count,
    columns: z.array(z.object({ column: name, effect: sum, drifts: z.boolean() })).max(REPORTED_COLUMNS_MAX),
  }),
  /** Of the error of predictions. */
  concept: z.object({ status: z.enum(["ok", "warning", "drift"]), detections: count }),
  /** Whether something drifts now, and the event time since when; null = not known. */
  drift: z.object({ isDrifting: z.boolean(), sinceMs: count.nullable() }),
  /** Shares of rows: without some value, and refused or quarantined. */
  quality: z.object({ missing: share, refused: share }),
  resources: z.object({
    rssBytes: count,
    /** Of one core, since the last report. */
    cpu: z.number().min(0),
    /** Rows that wait for their label. */
    unlabelled: count,
    examples: count,
  }),
});

/** Nobody is right more often than asked: such sums would make an accuracy above 1 of a whole fleet's. */
function isPossible({ rows, correct, confusion }: z.infer<typeof metricSumsSchema>): boolean {
  if (correct > rows) return false;
  if (confusion === undefined) return true;
  const { truePositives, falsePositives, falseNegatives } = confusion;
  return truePositives <= correct && correct + falsePositives + falseNegatives <= rows;
}

/** A device's report. */
export type DeviceReport = z.infer<typeof reportSchema>;
