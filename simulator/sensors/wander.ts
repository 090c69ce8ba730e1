// What drifts about a mean and comes back: demand, weather, pressure.

import type { Random } from "../../shared/random.js";

/** A mean-reverting random walk, one step a call (Ornstein and Uhlenbeck 1930, in discrete time). */
export function createWander(random: Random, { step, pull }: { step: number; pull: number }): () => number {
  let value = 0;
  return () => {
    value += step * random.normal() - pull * value;
    return value;
  };
}
