// x <- x + learningRate * aggregate. With rate 1 it is plain federated averaging. Reddi et al. 2021, algorithm 1.

import { assert } from "../../shared/assert.js";
import type { ServerOptimizer } from "./port.js";

/** Gradient descent with the aggregate as the negative gradient. Keeps no state between rounds. */
export function createSgd(learningRate: number): ServerOptimizer {
  return {
    name: "sgd",
    apply(params, aggregate) {
      assert(params.length === aggregate.length, `${aggregate.length} floats for ${params.length} params`);
      return params.map((value, at) => value + learningRate * aggregate[at]!);
    },
  };
}
