// `predictions.keep` in a device's config: how many predictions stay on disk, and for how long.

import { z } from "zod";
import { bytesWithin, durationWithin } from "../../shared/task/units.js";

/** What is kept of predictions; the oldest that were made go first. */
export interface PredictionKeep {
  readonly rows: number;
  /** Since it was made; undefined: as long as there is room. */
  readonly ageMs: number | undefined;
  /** About so many bytes of disk, indexes included; undefined: as many as the rows need. */
  readonly bytes: number | undefined;
}

/** A week of one a minute. */
export const defaultPredictionKeep: PredictionKeep = { rows: 10_000, ageMs: undefined, bytes: undefined };

/** The least that may be kept: more than is written at once. */
const ROWS_MIN = 1_000;
const ROWS_MAX = 5_000_000;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

export const keepSchema = z
  .strictObject({
    rows: z.int().min(ROWS_MIN).max(ROWS_MAX).prefault(defaultPredictionKeep.rows),
    for: durationWithin({ min: HOUR_MS, max: 10 * YEAR_MS })
      .optional()
      .describe("Since it was made. Default: as long as there is room."),
    bytes: bytesWithin({ min: 1_000_000, max: 1e12 })
      .optional()
      .describe("About so much disk, indexes included. Default: what the rows need."),
  })
  .prefault({})
  .transform(({ rows, for: ageMs, bytes }): PredictionKeep => ({ rows, ageMs, bytes }))
  .describe("Predictions that stay on disk; the oldest go first.");
