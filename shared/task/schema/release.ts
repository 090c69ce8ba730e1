// `aggregate` and `rollout`: how updates become the next version, and when devices serve it.

import { z } from "zod";
import { primaryMetric } from "../../model/metric.js";
import { labelsSchema } from "../../wire/message.js";
import type { AggregateSpec, CanaryStep, OutputSpec, RolloutSpec } from "../task.js";
import { durationWithin, shareWithin } from "../units.js";
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

const SECOND_MS = 1_000;
const MONTH_MS = 30 * 86_400_000;

const part = shareWithin({ min: 0.0001, max: 1 });
const period = durationWithin({ min: SECOND_MS, max: MONTH_MS });
const rowCount = z.int().min(0).max(1_000_000_000);

const step = z.union(
  [
    z
      .int()
      .min(1)
      .max(1_000_000)
      .transform((count): CanaryStep => ({ kind: "count", count })),
    part.transform((share): CanaryStep => ({ kind: "share", share })),
  ],
  { error: "expected a number of devices, or a percentage such as 10%" },
);

const steps = z
  .array(step)
  .min(1)
  .max(16)
  .refine((given) => given.every((each, at) => at === 0 || isLarger(each, given[at - 1]!)), {
    error: "expected steps that grow, numbers of devices before shares",
  });

function isLarger(step: CanaryStep, before: CanaryStep): boolean {
  if (step.kind === "count") return before.kind === "count" && step.count > before.count;
  return before.kind === "count" || step.share > before.share;
}

const shadow = z.strictObject({
  share: part.prefault("100%").describe("Of the devices, which score the candidate beside what they serve."),
  rows: rowCount.prefault(500).describe("Labelled rows it is judged by, over all devices."),
  for: period.prefault("24h").describe("A candidate without so many rows by then has failed."),
});

const canary = z.strictObject({
  steps: steps
    .prefault([1, "10%", "25%"])
    .describe("Devices that serve the candidate: numbers, then shares; after the last step, all."),
  labels: labelsSchema
    .prefault({})
    .describe("Only devices with all these labels are canaries. Default: any."),
  soak: durationWithin({ min: 0, max: MONTH_MS }).prefault("30m").describe("Least time of a step."),
  rows: rowCount
    .prefault(100)
    .describe("Labelled rows each step is judged by; every device of it answers for its share."),
});

const guard = z
  .strictObject({
    check: period.prefault("60s").describe("How often a version in trial is judged."),
    maxRegression: shareWithin({ min: 0, max: 1 })
      .prefault("5%")
      .describe("Worse than stable on the same rows by more than this is a failed check."),
    invalid: shareWithin({ min: 0, max: 1 })
      .prefault("0.1%")
      .describe(
        "On a device where more predictions than this are no finite numbers, the version does not work.",
      ),
    latency: z.number().min(1).max(1_000).prefault(3).describe("Most of stable's mean time per prediction."),
    silent: period.prefault("15m").describe("A device in trial without a report for this long is silent."),
    silentShare: shareWithin({ min: 0, max: 1 }).prefault("50%").describe("Of a step, that may be silent."),
    failedShare: shareWithin({ min: 0, max: 1 })
      .prefault("50%")
      .describe("Of a step: when it does not work on so many of its devices, the trial ends at once."),
    failures: z.int().min(1).max(1_000).prefault(3).describe("Failed checks after which the trial is over."),
  })
  .prefault({})
  .describe("What takes a version in trial back.");

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
    shadow: shadow.optional().describe("Devices score what has passed the gate before anyone serves it."),
    canary: canary.optional().describe("A part of the fleet serves what has passed the gate first."),
    guard,
  })
  .prefault({})
  .describe("When devices serve a version.");

/** The rollout, settled. */
export function settleRollout(value: z.output<typeof rollout>, output: OutputSpec): RolloutSpec {
  const { gate, revertAfter, shadow, canary, guard } = value;
  return {
    gate: {
      metric: gate?.kind ?? primaryMetric(output),
      maxRegression: gate?.value.maxRegression ?? 0.02,
    },
    revertAfter,
    shadow: shadow && { share: shadow.share, rows: shadow.rows, forMs: shadow.for },
    canary: canary && {
      ...{ steps: canary.steps, labels: canary.labels, rows: canary.rows },
      soakMs: canary.soak,
    },
    guard: {
      checkMs: guard.check,
      maxRegression: guard.maxRegression,
      invalid: guard.invalid,
      latency: guard.latency,
      silentMs: guard.silent,
      silentShare: guard.silentShare,
      failedShare: guard.failedShare,
      failures: guard.failures,
    },
  };
}
