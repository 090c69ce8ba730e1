import { describe, expect, test } from "vitest";
import type { Command } from "../../../../server/round/command.js";
import { decide } from "../../../../server/round/decide.js";
import type { Occurrence } from "../../../../server/round/event.js";
import type { Policy } from "../../../../server/round/policy.js";
import { initialState, type RoundsState } from "../../../../server/round/state.js";
import type { DeviceId, UpdateId } from "../../../../shared/id.js";
import type { MetricSums } from "../../../../shared/model/metric.js";
import { noTrial } from "../../../support/no-trial.js";

const MINUTE_MS = 60_000;
const device = "a" as DeviceId;
const everyRound = { every: 1, cohort: { kind: "all" }, quorum: 1, deadlineMs: MINUTE_MS } as const;

const policy: Policy = {
  ...{ seed: "unit", needsFit: false, evaluate: everyRound },
  rounds: {
    ...{ cohort: { kind: "all" }, minDevices: 1, overSelect: 0, quorum: 1, minExamples: 1, stop: undefined },
    ...{ deadlineMs: MINUTE_MS, leaseMs: MINUTE_MS, max: 1, everyMs: 0 },
  },
  rollout: { gate: { metric: "rmse", maxRegression: 0.02 }, revertAfter: 5, ...noTrial },
  monitor: {
    ...{ window: 100, concept: undefined, data: undefined, seasonMs: undefined, reportMs: 1000, limits: [] },
    retrain: { when: ["drift"], share: 0.3, cooldownMs: 0, perDay: 9, rounds: 3 },
    quarantine: undefined,
  },
  ...{ retryMs: MINUTE_MS, absentMs: 600 * MINUTE_MS, maxDevices: 100 },
};

/** One device whose fleet has learnt version 2, worth 1, and now learns anew. */
class Anew {
  state: RoundsState = initialState;
  #nowMs = 0;

  constructor() {
    this.on({ type: "recovered", downtimeMs: 0 });
    this.on({ type: "hello", device, canTrain: true, canEvaluate: true, labels: {} });
    this.on({ type: "version-made", round: 0, version: 1 });
    this.train();
    this.score(1);
    expect(this.state).toMatchObject({ stable: 2, stableValue: 1, finished: "max-rounds" });
    this.learnAnew();
    expect(this.state.open).toMatchObject({ kind: "evaluate", baseVersion: 2 });
  }

  learnAnew(): readonly Command[] {
    return this.on({ type: "retrain", reason: "drift", devices: 1, share: 1, sinceMs: 5 });
  }

  on(occurrence: Occurrence): readonly Command[] {
    const { state, commands } = decide(this.state, { ...occurrence, nowMs: this.#nowMs }, policy);
    this.state = state;
    return commands;
  }

  train(): void {
    this.#update(null);
    this.on({ type: "version-made", round: this.state.open!.round, version: this.state.lastVersion + 1 });
  }

  /** What the version that is open for it is worth. */
  score(rmse: number): readonly Command[] {
    const sums = { rows: 1, squaredError: rmse ** 2, absoluteError: rmse, loss: 1, correct: 0 };
    return this.#update(sums);
  }

  /** Nobody has rows to score it by. */
  fail(): void {
    this.#nowMs += MINUTE_MS;
    this.on({ type: "tick" });
  }

  #update(sums: MetricSums | null): readonly Command[] {
    const { round, kind, baseVersion } = this.state.open!;
    const updateId = `a${round}` as UpdateId;
    return this.on({ type: "update", device, round, updateId, kind, baseVersion, verdict: verdictOf(sums) });
  }
}

function verdictOf(sums: MetricSums | null) {
  return { ok: true, examples: 5, norm: 1, sums } as const;
}

function gatesOf(commands: readonly Command[]): unknown[] {
  return commands.flatMap((each) => (each.type === "tell" && each.fact.type === "gate" ? [each.fact] : []));
}

describe("what stable was worth before a fleet learnt anew", () => {
  test("is no measure for anything: who can be scored while stable could not waits until it has been", () => {
    const fleet = new Anew();
    fleet.fail();
    fleet.train();
    expect(gatesOf(fleet.score(3))).toEqual([]);
    expect(fleet.state.open).toMatchObject({ kind: "evaluate", baseVersion: 2 });
    fleet.score(4);
    expect(fleet.state.open).toMatchObject({ kind: "evaluate", baseVersion: 3 });
    // Three times as bad as stable once was, and better than it is now.
    expect(gatesOf(fleet.score(3))).toMatchObject([{ version: 3, passed: true, reference: 4 }]);
    expect(fleet.state).toMatchObject({ stable: 3, rescore: null });
  });

  test("is replaced at once where that can be found", () => {
    const fleet = new Anew();
    fleet.score(4);
    expect(fleet.state).toMatchObject({ stableValue: 4, rescore: null });
    fleet.train();
    expect(gatesOf(fleet.score(5))).toMatchObject([{ passed: false, reference: 4 }]);
  });

  test("is not replaced by the score of a version that was out for it when that began", () => {
    const fleet = new Anew();
    fleet.score(4);
    for (const worth of [5, 6]) {
      fleet.train();
      fleet.score(worth);
    }
    fleet.train();
    // The last round of the first time: its version is out to be scored, and the fleet begins once more.
    expect(fleet.state.open).toMatchObject({ kind: "evaluate", baseVersion: 5 });
    expect(gatesOf(fleet.learnAnew())).toEqual([]);
    // That score is not wanted any more.
    expect(fleet.state).toMatchObject({
      stable: 2,
      stableValue: 4,
      open: { kind: "evaluate", baseVersion: 2 },
    });
    fleet.score(3);
    expect(fleet.state).toMatchObject({ stable: 2, stableValue: 3, rescore: null });
  });

  test("is given up where a version can be scored and stable cannot: that is not asked twice", () => {
    const fleet = new Anew();
    fleet.fail();
    fleet.train();
    fleet.score(3);
    fleet.fail();
    expect(fleet.state.open).toMatchObject({ kind: "evaluate", baseVersion: 3 });
    expect(gatesOf(fleet.score(3))).toMatchObject([{ passed: true, reference: undefined }]);
  });
});
