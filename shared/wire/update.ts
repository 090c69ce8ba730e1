// What an update says about itself: the header of its frame. The frame's body is the encoded delta.

import { z } from "zod";
import type { DeviceId, TaskId, UpdateId } from "../id.js";
import { readSummary } from "../pipeline/quantile-summary.js";
import { sha256Hex } from "../task/canonical.js";
import { BESIDE_MAX, deviceIdSchema, roundKindSchema } from "./message.js";
import { metricSumsSchema } from "./metric-sums.js";

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
// Finite by construction: zod's number() refuses NaN and infinities.
const sum = z.number();

const summary = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && (value.length === 0 || readSummary(value) !== undefined),
  "not a summary of quantiles",
);

const statisticsSchema = z
  .object({
    count,
    mean: z.array(sum),
    m2: z.array(sum),
    min: z.array(sum),
    max: z.array(sum),
    // There for robust scaling: a summary of each column that needs one, nothing of the others.
    quantiles: z.array(summary).optional(),
  })
  .refine(
    ({ mean, m2, min, max, quantiles = mean }) =>
      [m2, min, max, quantiles].every(({ length }) => length === mean.length),
    "unequal columns",
  );

/** Header of an update frame. Which of the nullable parts is there depends on `kind`. */
export const updateHeaderSchema = z.object({
  task: z.string(),
  device: deviceIdSchema,
  round: count,
  kind: roundKindSchema,
  baseVersion: count,
  /** The base's model signature; null in a `fit` round. */
  modelSignature: z.string().nullable(),
  /** Examples behind the update: the aggregation weight of `train`, scored rows of `evaluate`. */
  examples: count,
  /** train: codec of the body, floats in it, fingerprint of the params, local steps, last mean batch loss. */
  train: z.object({ codec: z.string(), count, fingerprint: z.string(), steps: count, loss: sum }).nullable(),
  /** evaluate: the device's sums over its validation examples. */
  evaluate: metricSumsSchema.nullable(),
  /**
   * evaluate, when the offer has versions beside its own: the sums of each over the same examples, in the offer's order,
   * and how long scoring took, its own version first. One whose errors are not finite has sums of no rows.
   */
  beside: z
    .object({
      sums: z.array(metricSumsSchema).max(BESIDE_MAX),
      elapsedMs: z
        .array(z.number().min(0))
        .min(1)
        .max(1 + BESIDE_MAX),
    })
    .refine(({ sums, elapsedMs }) => elapsedMs.length === 1 + sums.length, "unequal versions")
    .optional(),
  /** fit: the device's column statistics. */
  fit: statisticsSchema.nullable(),
});
export type UpdateHeader = z.infer<typeof updateHeaderSchema>;

/** What an update id is made from. `sha256` is that of the whole frame. */
export interface UpdateIdentity {
  readonly task: TaskId;
  readonly device: DeviceId;
  readonly round: number;
  readonly sha256: string;
}

/** The update's id: a hash of its content, so that the same update made twice is the same update. */
export function updateIdOf({ task, device, round, sha256 }: UpdateIdentity): UpdateId {
  // Hex text is one topic level, as ids must be.
  return sha256Hex(`${task}|${device}|${round}|${sha256}`).slice(0, 32) as UpdateId;
}
