// `candidates` and `select`: several models and hyper-parameters for one task, and how the best is found.

import { z } from "zod";
import { assert } from "../../assert.js";
import type { CandidateSpec, ModelSpec, RolloutSpec, SelectSpec, TrainSpec } from "../task.js";
import { bytesWithin, durationWithin } from "../units.js";
import { model, trainFields } from "./model.js";
import { named } from "./names.js";
import { metricName } from "./rounds.js";

/** Most candidates of a task. */
const CANDIDATES_MAX = 16;

const candidate = z.strictObject({
  model: model.optional().describe("Default: the task's model."),
  train: z
    .strictObject({
      epochs: trainFields.epochs.optional(),
      batch: trainFields.batch.optional(),
      optimizer: trainFields.optimizer.optional(),
      clip: trainFields.clip.optional(),
    })
    .optional()
    .describe("What is left out is as in the task's train."),
});

/** Models and plans that are tried, by name. */
export const candidates = named(candidate, CANDIDATES_MAX)
  .refine((given) => Object.keys(given).length >= 2, { error: "expected at least 2 candidates" })
  .describe("Models and hyper-parameters to choose between. They share pipeline, label and scaler.");

const rungs = z
  .array(z.int().min(1).max(100_000))
  .min(1)
  .max(8)
  .refine((given) => given.every((rounds, at) => at === 0 || rounds > given[at - 1]!), {
    error: "expected numbers of rounds that grow",
  });

const limits = z
  .strictObject({
    parameters: z.int().min(1).max(100_000_000).optional().describe("Most params."),
    bytes: bytesWithin({ min: 4, max: 2 ** 28 })
      .optional()
      .describe("Most bytes of its params on the wire."),
    latency: durationWithin({ min: 1, max: 60_000 })
      .optional()
      .describe("Most time to score one row, measured on the devices."),
  })
  .prefault({})
  .describe("A candidate beyond one of these is out.");

/** How the best candidate is found. */
export const select = z
  .strictObject({
    rungs: rungs
      .prefault([5, 15])
      .describe("Train rounds that each candidate has had when they are compared, once per number."),
    eta: z.number().min(1.5).max(100).prefault(3).describe("One in so many goes on, rounded up."),
    metric: metricName.optional().describe("What they are compared by. Default: the gate's metric."),
    limits,
  })
  .describe("Successive halving over the candidates. Jamieson and Talwalkar 2016.");

/** The candidates by name, each whole: what one leaves out is the task's. One of the two has a model. */
export function settleCandidates(
  given: z.output<typeof candidates>,
  defaults: { readonly model: ModelSpec | undefined; readonly train: TrainSpec },
): Readonly<Record<string, CandidateSpec>> {
  const names = Object.keys(given).sort();
  return Object.fromEntries(names.map((name) => [name, settleCandidate(given[name]!, defaults)]));
}

function settleCandidate(
  { model, train = {} }: z.output<typeof candidate>,
  defaults: { readonly model: ModelSpec | undefined; readonly train: TrainSpec },
): CandidateSpec {
  const learner = model ?? defaults.model;
  assert(learner !== undefined, "a candidate without a model is refused before");
  const written = Object.fromEntries(Object.entries(train).filter(([, value]) => value !== undefined));
  return { model: learner, train: { ...defaults.train, ...written } };
}

/** The selection, settled. */
export function settleSelect(
  value: z.output<typeof select> | undefined,
  { gate }: Pick<RolloutSpec, "gate">,
): SelectSpec {
  const { rungs, eta, metric, limits } = value ?? select.parse({});
  const { parameters, bytes, latency: latencyMs } = limits;
  return { rungs, eta, metric: metric ?? gate.metric, limits: { parameters, bytes, latencyMs } };
}
