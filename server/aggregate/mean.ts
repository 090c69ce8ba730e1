// The mean of deltas, weighted by examples: FedAvg. McMahan et al. 2017, algorithm 1.

import { assert } from "../../shared/assert.js";
import { accumulate } from "../../shared/params/vector.js";
import type { Aggregator } from "./port.js";

/** Sums so far. */
export interface MeanPartial {
  /** Sum of examples x delta. */
  readonly sum: Float64Array;
  /** Sum of examples. */
  readonly weight: number;
}

/** Breaks down with a single bad device: for fleets whose devices are trusted. */
export const mean: Aggregator<MeanPartial> = {
  name: "mean",
  start: (count) => ({ sum: new Float64Array(count), weight: 0 }),
  fold({ sum, weight }, { delta, examples }) {
    assert(
      delta.length === sum.length,
      `a delta of ${delta.length} floats for an aggregate of ${sum.length}`,
    );
    assert(examples > 0, "an update without examples has no weight");
    accumulate(sum, examples, delta);
    return { sum, weight: weight + examples };
  },
  merge(a, b) {
    assert(a.sum.length === b.sum.length, `partials of ${a.sum.length} and ${b.sum.length} floats`);
    for (let i = 0; i < a.sum.length; i++) a.sum[i] = a.sum[i]! + b.sum[i]!;
    return { sum: a.sum, weight: a.weight + b.weight };
  },
  finish({ sum, weight }) {
    assert(weight > 0, "a mean of nothing");
    return sum.map((value) => value / weight);
  },
};
