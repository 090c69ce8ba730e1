// Whether a candidate may become stable.

import { regression } from "../../shared/model/metric.js";
import type { RolloutSpec } from "../../shared/task/task.js";

/** The values a gate compares, both pooled over devices; undefined where there is none. */
export interface GateValues {
  readonly value: number | undefined;
  /** Stable's. */
  readonly reference: number | undefined;
}

/** True when the candidate has a value, and stable has none or is hardly better. */
export function passesGate(
  { value, reference }: GateValues,
  { metric, maxRegression }: RolloutSpec["gate"],
): boolean {
  if (value === undefined) return false;
  return reference === undefined || regression(metric, value, reference) <= maxRegression;
}
