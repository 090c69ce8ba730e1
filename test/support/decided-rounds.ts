// Rounds decided event by event: no disk, no network, and time that a test moves.

import { type Command, type Step, step } from "../../server/round/command.js";
import { decide } from "../../server/round/decide.js";
import type { Occurrence } from "../../server/round/event.js";
import type { Policy } from "../../server/round/policy.js";
import { initialState } from "../../server/round/state.js";
import type { DeviceId, UpdateId } from "../../shared/id.js";
import { noTrial } from "./no-trial.js";

export const MINUTE_MS = 60_000;

/** Everybody takes part, half of them are enough. */
export function policyWith(changes: Partial<Policy["rounds"]> = {}, others: Partial<Policy> = {}): Policy {
  return {
    seed: "unit",
    needsFit: false,
    rounds: {
      cohort: { kind: "all" },
      minDevices: 1,
      overSelect: 0,
      quorum: 0.5,
      deadlineMs: 10 * MINUTE_MS,
      leaseMs: 4 * MINUTE_MS,
      max: 10,
      everyMs: 0,
      minExamples: 1,
      stop: undefined,
      ...changes,
    },
    evaluate: { every: 100, cohort: { kind: "all" }, quorum: 0.5, deadlineMs: 10 * MINUTE_MS },
    rollout: { gate: { metric: "rmse", maxRegression: 0.02 }, revertAfter: 2, ...noTrial },
    monitor: undefined,
    retryMs: MINUTE_MS,
    absentMs: 60 * MINUTE_MS,
    maxDevices: 100,
    ...others,
  };
}

/** A federation with version 1 made, and time in hand. */
export class Rounds {
  nowMs = 0;
  last: Step = step(initialState);
  readonly policy: Policy;

  constructor(policy: Policy, devices: readonly DeviceId[]) {
    this.policy = policy;
    this.on({ type: "recovered", downtimeMs: 0 });
    const [first, ...rest] = devices;
    // All but one are known before the first version, so that the first round opens with everybody.
    for (const device of rest) this.hello(device);
    if (first !== undefined) this.hello(first);
    this.on({ type: "version-made", round: 0, version: 1 });
  }

  get open() {
    return this.last.state.open;
  }

  on(occurrence: Occurrence): Step {
    this.last = decide(this.last.state, { ...occurrence, nowMs: this.nowMs }, this.policy);
    return this.last;
  }

  hello(device: DeviceId, canTrain = true): readonly Command[] {
    return this.on({ type: "hello", device, canTrain, canEvaluate: canTrain, labels: {} }).commands;
  }

  update(device: DeviceId, norm = 1, rmse = 1): readonly Command[] {
    const { round = 0, kind, baseVersion } = this.open ?? {};
    const sums = { rows: 1, squaredError: rmse ** 2, absoluteError: rmse, loss: 1, correct: 0 };
    const verdict = { ok: true, examples: 5, norm, sums: kind === "evaluate" ? sums : null } as const;
    const updateId = `${device}${round}` as UpdateId;
    return this.on({ type: "update", device, round, updateId, kind, baseVersion, verdict }).commands;
  }

  after(ms: number): Step {
    this.nowMs += ms;
    return this.on({ type: "tick" });
  }

  made(): Step {
    return this.on({
      type: "version-made",
      round: this.open?.round ?? 0,
      version: this.last.state.lastVersion + 1,
    });
  }

  /** Trains one round to its end. */
  train(devices: readonly DeviceId[]): void {
    for (const device of devices) this.update(device);
    this.made();
  }
}
