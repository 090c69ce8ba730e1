// `MetricSums` as messages bear them.

import { z } from "zod";

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
// Finite by construction: zod's number() refuses NaN and infinities.
const sum = z.number();

export const metricSumsSchema = z.object({
  rows: count,
  squaredError: sum,
  absoluteError: sum,
  loss: sum,
  correct: count,
  // There for a binary output: how decisions fell.
  confusion: z.object({ truePositives: count, falsePositives: count, falseNegatives: count }).optional(),
});
