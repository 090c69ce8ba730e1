// `rounds` and `evaluate`: who takes part in a round, and when it ends.

import { z } from "zod";
import type { CohortSpec, EvaluateSpec, RoundsSpec, StopSpec } from "../task.js";
import { durationWithin, shareWithin } from "../units.js";

const SECOND_MS = 1_000;
const WEEK_MS = 604_800_000;

const wait = durationWithin({ min: SECOND_MS, max: 4 * WEEK_MS });
const part = shareWithin({ min: 0.0001, max: 1 });

const cohort = z.union(
  [
    z.literal("all").transform((): CohortSpec => ({ kind: "all" })),
    part.transform((fraction): CohortSpec => ({ kind: "fraction", fraction })),
    z
      .int()
      .min(1)
      .max(1_000_000)
      .transform((count): CohortSpec => ({ kind: "count", count })),
  ],
  { error: "expected all, a percentage such as 10%, or a number of devices" },
);

/** What quality is measured by. */
export const metricName = z.enum(["rmse", "mae", "accuracy", "precision", "recall", "f1", "loss"]);

const stop = z
  .strictObject({
    metric: metricName,
    on: z.literal("validation").prefault("validation").describe("Gate and stop rule never see test rows."),
    target: z.number().min(0).max(1e12).optional().describe("Stop once the metric is this good."),
    patience: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe("Stop after so many evaluations without a new best."),
  })
  .refine(({ target, patience }) => target !== undefined || patience !== undefined, {
    error: 'expected "target", "patience" or both',
  })
  .transform(({ metric, target, patience }): StopSpec => ({ metric, target, patience }));

const roundsShape = z.strictObject({
  cohort: cohort
    .prefault("all")
    .describe("Devices asked per round: all, a share of those known, or a number."),
  minDevices: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe(
      "Devices that must have called before the first round. Default: a counted cohort's number, else 1.",
    ),
  overSelect: shareWithin({ min: 0, max: 1 })
    .prefault("0%")
    .describe("Extra devices asked, as a share of the cohort; the first answers count."),
  quorum: part.prefault("80%").describe("Share of the cohort whose updates close a round at its deadline."),
  deadline: wait.prefault("10m").describe("A round ends by then: closed with quorum, else abandoned."),
  lease: wait
    .optional()
    .describe("A device silent for this long after its offer is replaced. Default: half the deadline."),
  max: z.int().min(1).max(1_000_000).prefault(100).describe("Train rounds in all."),
  every: wait
    .optional()
    .describe(
      "A train round opens at most this often, counted from the opening of the one before. Default: as soon as it can.",
    ),
  minExamples: z
    .int()
    .min(1)
    .max(10_000_000)
    .prefault(1)
    .describe("A device with fewer train examples is not eligible."),
  stop: stop.optional().describe("Ends training early."),
});

/** Who takes part, and when a round ends. */
export const rounds = roundsShape
  .prefault({})
  .transform((value): RoundsSpec => {
    const { minDevices, deadline, lease, every, ...rest } = value;
    return {
      cohort: rest.cohort,
      minDevices: minDevices ?? (rest.cohort.kind === "count" ? rest.cohort.count : 1),
      overSelect: rest.overSelect,
      quorum: rest.quorum,
      deadlineMs: deadline,
      leaseMs: lease ?? Math.ceil(deadline / 2),
      max: rest.max,
      everyMs: every ?? 0,
      minExamples: rest.minExamples,
      stop: rest.stop,
    };
  })
  .describe("Who takes part in a round, and when it ends.");

/** Evaluate rounds, as written: what is left out follows the train rounds. */
export const evaluate = z
  .strictObject({
    every: z
      .int()
      .min(1)
      .max(100_000)
      .prefault(1)
      .describe("An evaluate round after every so many train rounds."),
    cohort: cohort.optional().describe("Devices asked. Default: as in rounds."),
    quorum: part.optional().describe("Default: as in rounds."),
    deadline: wait.optional().describe("Default: as in rounds."),
  })
  .prefault({})
  .describe("How often candidates are scored on the devices' validation examples.");

/** Evaluate rounds, settled. */
export function settleEvaluate(value: z.output<typeof evaluate>, rounds: RoundsSpec): EvaluateSpec {
  return {
    every: value.every,
    cohort: value.cohort ?? rounds.cohort,
    quorum: value.quorum ?? rounds.quorum,
    deadlineMs: value.deadline ?? rounds.deadlineMs,
  };
}
