// `aggregate` and `rollout`: how updates become the next version, and when devices serve it.

import { z } from "zod";
import { primaryMetric } from "../../model/metric.js";
import type { AggregateSpec, OutputSpec, RolloutSpec } from "../task.js";
import { shareWithin } from "../units.js";
import { oneKey } from "./choice.js";
import { learningRate } from "./model.js";

/** How updates become the next version. */
export const aggregate = z
  .strictObject({
    rule: z.literal("mean").prefault("mean").describe("The mean of the updates, weighted by examples."),
    optimizer: oneKey({ sgd: learningRate.describe("Server learning rate; 1 is plain federated averaging.") })
      .prefault({ sgd: 1 })
      .describe("Applies the aggregate to the head."),
  })
  .prefault({})
  .transform(
    ({ rule, optimizer }): AggregateSpec => ({
      rule,
      optimizer: { kind: "sgd", learningRate: optimizer.value },
    }),
  )
  .describe("How updates become the next version.");

const limit = z.strictObject({
  maxRegression: shareWithin({ min: 0, max: 1 })
    .prefault("2%")
    .describe("A candidate worse than stable by more than this stays out."),
});

const gate = oneKey({
  ...{ rmse: limit, mae: limit, accuracy: limit, precision: limit, recall: limit, f1: limit, loss: limit },
});

/** When devices serve a version, as written: the gate's metric may follow the model. */
export const rollout = z
  .strictObject({
    gate: gate
      .optional()
      .describe(
        "The metric a candidate is judged by. Default: rmse or accuracy, after the model, within 2%.",
      ),
    revertAfter: z
      .int()
      .min(1)
      .max(10_000)
      .prefault(5)
      .describe("After this many failed gates in a row, head returns to stable."),
  })
  .prefault({})
  .describe("When devices serve a version.");

/** The rollout, settled. */
export function settleRollout(value: z.output<typeof rollout>, output: OutputSpec): RolloutSpec {
  const metric = value.gate?.kind ?? primaryMetric(output);
  return {
    gate: { metric, maxRegression: value.gate?.value.maxRegression ?? 0.02 },
    revertAfter: value.revertAfter,
  };
}
