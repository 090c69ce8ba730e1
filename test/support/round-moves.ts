// What may happen to a federation: its rules, and one thing after another.

import fc from "fast-check";
import type { Policy } from "../../server/round/policy.js";
import type { SelectionPolicy } from "../../server/select/state.js";
import type { DeviceId } from "../../shared/id.js";
import type { CanarySpec, MonitorSpec } from "../../shared/task/task.js";
import { noTrial } from "./no-trial.js";

export const devices = ["a", "b", "c", "d", "e", "f"] as DeviceId[];
const device = fc.constantFrom(...devices);
export const SECOND_MS = 1000;

const cohort = fc.oneof(
  fc.constant({ kind: "all" } as const),
  fc.double({ min: 0.1, max: 1, noNaN: true }).map((fraction) => ({ kind: "fraction", fraction }) as const),
  fc.integer({ min: 1, max: 4 }).map((count) => ({ kind: "count", count }) as const),
);
const quorum = fc.double({ min: 0.1, max: 1, noNaN: true });

const canary = (soakMs: number): CanarySpec => ({
  steps: [
    { kind: "count", count: 1 },
    { kind: "share", share: 0.5 },
  ],
  ...{ labels: {}, soakMs, rows: 10 },
});

const learningAnew: MonitorSpec = {
  ...{
    window: 100,
    concept: undefined,
    data: undefined,
    seasonMs: undefined,
    reportMs: 5 * SECOND_MS,
    limits: [],
  },
  retrain: { when: ["drift"], share: 0.3, cooldownMs: 60 * SECOND_MS, perDay: 3, rounds: 2 },
  quarantine: { afterMs: 10 * SECOND_MS, share: 0.5 },
};

const halving: SelectionPolicy = {
  arms: ["one", "three", "two"].map((name, at) => ({
    name,
    parameters: 10 * (at + 1),
    bytes: 40 * (at + 1),
  })),
  ...{ rungs: [1, 2], eta: 3, metric: "rmse", latencyMs: undefined },
};

export const policy: fc.Arbitrary<Policy> = fc.record({
  seed: fc.constant("laws"),
  needsFit: fc.boolean(),
  rounds: fc.record({
    cohort,
    minDevices: fc.integer({ min: 1, max: 3 }),
    overSelect: fc.constantFrom(0, 0.3, 1),
    quorum,
    deadlineMs: fc.constant(60 * SECOND_MS),
    leaseMs: fc.constantFrom(10 * SECOND_MS, 30 * SECOND_MS, 90 * SECOND_MS),
    max: fc.integer({ min: 1, max: 5 }),
    everyMs: fc.constantFrom(0, 0, 20 * SECOND_MS, 300 * SECOND_MS),
    minExamples: fc.constant(1),
    stop: fc.constantFrom(
      undefined,
      { metric: "rmse" as const, target: 0.5, patience: undefined },
      { metric: "rmse" as const, target: undefined, patience: 2 },
    ),
  }),
  evaluate: fc.record({
    every: fc.integer({ min: 1, max: 2 }),
    cohort,
    quorum,
    deadlineMs: fc.constant(40 * SECOND_MS),
  }),
  rollout: fc.record({
    gate: fc.constant({ metric: "rmse" as const, maxRegression: 0.02 }),
    revertAfter: fc.integer({ min: 1, max: 2 }),
    shadow: fc.constantFrom(undefined, undefined, { share: 0.5, rows: 10, forMs: 40 * SECOND_MS }),
    canary: fc.constantFrom(undefined, canary(0), canary(20 * SECOND_MS)),
    guard: fc.constant({ ...noTrial.guard, checkMs: 10 * SECOND_MS, silentMs: 30 * SECOND_MS }),
  }),
  monitor: fc.constantFrom(undefined, learningAnew),
  selection: fc.constantFrom(undefined, undefined, halving),
  retryMs: fc.constant(5 * SECOND_MS),
  absentMs: fc.constant(200 * SECOND_MS),
  maxDevices: fc.constantFrom(4, 100),
});

/** What happens next; what it means depends on where the federation stands by then. */
export const move = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("hello" as const),
      device,
      isAble: fc.integer({ min: 0, max: 5 }).map((draw) => draw > 0),
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant("update" as const),
      device,
      /** From the member whose place in the round this is, if it has so many that have not delivered. */
      place: fc.option(fc.nat(3), { nil: undefined, freq: 4 }),
      /** Rounds ago. */
      age: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 70, -1),
      norm: fc.double({ min: 0, max: 5, noNaN: true }),
      error: fc.double({ min: 0, max: 2, noNaN: true }),
      isGood: fc.integer({ min: 0, max: 5 }).map((draw) => draw > 0),
      nonce: fc.integer({ min: 0, max: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("decline" as const), device }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("progress" as const), device }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("make" as const),
      isSound: fc.integer({ min: 0, max: 5 }).map((draw) => draw > 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 50_000 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("evidence" as const),
      labelled: fc.constantFrom(0, 10, 10, 10),
      worse: fc.constantFrom(-0.1, 0, 0, 0, 0.5),
      failed: fc.constantFrom(0, 0, 0, 0, 0, 1),
      reporting: fc.constantFrom(0, 1, 1, 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("retrain" as const), sinceMs: fc.constantFrom(null, 5) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("quarantine" as const), device, isLifted: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("operator" as const),
      does: fc.constantFrom("promote" as const, "roll-back" as const),
      version: fc.option(fc.integer({ min: 1, max: 4 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("restart" as const),
      downtimeMs: fc.integer({ min: 0, max: 90_000 }),
    }),
  },
);
export type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;
