// Every server optimizer by its name. A new one is one file and one line here.

import type { AggregateSpec } from "../../shared/task/task.js";
import type { ServerOptimizer } from "./port.js";
import { createSgd } from "./sgd.js";

type OptimizerSpec = AggregateSpec["optimizer"];

const optimizers: Readonly<Record<OptimizerSpec["kind"], (spec: OptimizerSpec) => ServerOptimizer>> = {
  sgd: ({ learningRate }) => createSgd(learningRate),
};

/** The optimizer a task asks for. */
export function createOptimizer(spec: OptimizerSpec): ServerOptimizer {
  return optimizers[spec.kind](spec);
}
