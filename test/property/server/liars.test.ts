// Laws of trials among devices that lie: fewer than half of a step decide nothing against the others.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { poolEvidence } from "../../../server/monitor/evidence.js";
import { initialState, type TrialState } from "../../../server/round/state.js";
import { judgeEvidence } from "../../../server/round/trial-check.js";
import type { DeviceId } from "../../../shared/id.js";
import type { RolloutSpec } from "../../../shared/task/task.js";
import { type DeviceReport, reportSchema } from "../../../shared/wire/report.js";
import { policyWith } from "../../support/decided-rounds.js";
import { reportOf, sideOf, sumsOf } from "../../support/device-report.js";
import { noTrial } from "../../support/no-trial.js";

const SOAK_MS = 60_000;
const rollout: RolloutSpec = {
  ...{ ...noTrial, gate: { metric: "rmse", maxRegression: 0.02 }, revertAfter: 2 },
  canary: { steps: [], labels: {}, soakMs: SOAK_MS, rows: 100 },
  shadow: { share: 1, rows: 100, forMs: SOAK_MS },
};
const policy = policyWith({}, { rollout });

type Side = NonNullable<DeviceReport["serving"]>;

const anyError = fc.oneof(fc.constantFrom(0, 1e-9, 1, 1e6), fc.double({ min: 0, max: 1e9, noNaN: true }));
const anyCount = fc.oneof(fc.constantFrom(0, 1, 1e9, 2 ** 40), fc.nat(1_000));
const anySide = (version: number): fc.Arbitrary<Side> =>
  fc
    .record({ rows: anyCount, invalid: anyCount, totalUs: anyCount, labelled: anyCount, error: anyError })
    .map(({ labelled, error, ...rest }) => sideOf(version, sumsOf(labelled, error), rest));

/** Whatever the wire lets through; undefined: not a word. */
const lie: fc.Arbitrary<DeviceReport | undefined> = fc.option(
  fc
    .record({
      tried: fc.option(anySide(2), { nil: null }),
      kept: fc.option(anySide(1), { nil: null }),
      failed: fc.constantFrom<number[]>([], [], [2]),
    })
    .map(({ tried, kept, failed }) => reportOf({ serving: tried, beside: kept, failed })),
  { nil: undefined, freq: 8 },
);

/** A canary's honest devices have enough rows, each with an error of its own, on which the version is so much worse. */
const honest = (worse: fc.Arbitrary<number>) =>
  fc.record({
    rows: fc.integer({ min: 100, max: 500 }),
    error: fc.double({ min: 0.1, max: 10, noNaN: true }),
    worse,
  });

const crowd = (worse: fc.Arbitrary<number>) =>
  fc.nat(6).chain((liars) =>
    fc.record({
      lies: fc.array(lie, { minLength: liars, maxLength: liars }),
      honest: fc.array(honest(worse), { minLength: liars + 1, maxLength: liars + 6 }),
      order: fc.nat(),
    }),
  );
type Crowd = ReturnType<typeof crowd> extends fc.Arbitrary<infer C> ? C : never;

function judge({ lies, honest: others, order }: Crowd, mode: "shadow" | "canary", elapsedMs: number) {
  const truths = others.map(({ rows, error, worse }) => {
    const [tried, kept] = [sideOf(2, sumsOf(rows, error * (1 + worse))), sideOf(1, sumsOf(rows, error))];
    return reportOf({ serving: tried, beside: kept });
  });
  const said = [...lies, ...truths].map((report) =>
    report !== undefined && mode === "shadow"
      ? { ...report, serving: report.beside, beside: report.serving }
      : report,
  );
  const turned = said.map((_, at) => said[(at + order) % said.length]);
  const devices = turned.map((_, at) => `device-${at}` as DeviceId);
  const reports = new Map(
    turned.flatMap((report, at) => {
      if (report === undefined) return [];
      expect(reportSchema.safeParse(report).success).toBe(true);
      return [[devices[at]!, { report, receivedMs: elapsedMs }] as const];
    }),
  );
  const trial: TrialState = {
    ...{ version: 2, value: 1, mode, step: 0, below: 2 ** 32, failures: 0 },
    ...{ sinceMs: 0, nextCheckMs: 0 },
  };
  const state = { ...initialState, stable: 1, trial };
  const evidence = poolEvidence(state, { reports, policy, nowMs: elapsedMs, devices });
  return judgeEvidence(trial, evidence, { nowMs: elapsedMs, policy });
}

const modes = fc.constantFrom("shadow" as const, "canary" as const);
const times = fc.constantFrom(0, SOAK_MS / 2, SOAK_MS, 100 * SOAK_MS);

describe("devices that lie, fewer than half of those in a trial", () => {
  test("do not pass a version that is worse on all others", () => {
    const worse = fc.double({ min: 0.06, max: 10, noNaN: true });
    const law = (some: Crowd, mode: "shadow" | "canary", elapsedMs: number) => {
      expect(judge(some, mode, elapsedMs)).toMatchObject({ isPassed: false });
      expect(judge(some, mode, elapsedMs).problems).not.toEqual([]);
    };
    fc.assert(fc.property(crowd(worse), modes, times, law), { numRuns: 500 });
  });

  test("do not take back one that is good on all others: it passes when its time has come", () => {
    const worse = fc.double({ min: -0.9, max: 0.04, noNaN: true });
    const law = (some: Crowd, mode: "shadow" | "canary", elapsedMs: number) => {
      const isTime = mode === "shadow" || elapsedMs >= SOAK_MS;
      expect(judge(some, mode, elapsedMs)).toEqual({ problems: [], isFatal: false, isPassed: isTime });
    };
    fc.assert(fc.property(crowd(worse), modes, times, law), { numRuns: 500 });
  });

  test("do not hurry one through before the others have labels", () => {
    const law = (lies: Crowd["lies"], elapsedMs: number) => {
      const silent = Array.from({ length: lies.length + 1 }, () => ({ rows: 0, error: 1, worse: 0 }));
      expect(judge({ lies, honest: silent, order: 0 }, "canary", elapsedMs).isPassed).toBe(false);
    };
    fc.assert(fc.property(fc.array(lie, { maxLength: 6 }), times, law), { numRuns: 500 });
  });
});
