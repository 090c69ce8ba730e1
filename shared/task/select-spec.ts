// `select` in parsed form: how the best of a task's candidates is found.

import type { MetricName } from "./release-spec.js";

/** Successive halving (Jamieson and Talwalkar 2016): after each rung the better part of the candidates goes on. */
export interface SelectSpec {
  /** Train rounds each candidate has had at the end of each rung; they grow. */
  readonly rungs: readonly number[];
  /** One in so many candidates goes on, rounded up. */
  readonly eta: number;
  /** What they are compared by. */
  readonly metric: MetricName;
  readonly limits: SelectLimits;
}

/** A candidate beyond one of these is out, however good it is. */
export interface SelectLimits {
  readonly parameters: number | undefined;
  /** Of its params on the wire. */
  readonly bytes: number | undefined;
  /** To score one row on the devices, in their mean. */
  readonly latencyMs: number | undefined;
}
