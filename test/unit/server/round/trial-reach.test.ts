import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Policy, policyOf } from "../../../../server/round/policy.js";
import { initialState, type RoundsState } from "../../../../server/round/state.js";
import { reachOfStep, trialDevices } from "../../../../server/round/trial-reach.js";
import type { DeviceId } from "../../../../shared/id.js";
import { parseTask } from "../../../../shared/task/parse.js";

function policyWith(step: string): Policy {
  const { task } = parseTask(`
task: pumps
sources: { s: { mqtt: "p", decode: json, time: { field: t, unit: ms } } }
features: { from: s, list: [ { copy: [x] } ] }
label: { field: y }
model: { dense: [2], output: regression }
rollout: { canary: { steps: [${step}] } }
`);
  return policyOf(task, { seed: "s", maxDevices: 100 });
}

/** How many of so many devices the first step reaches. */
function reached(policy: Policy, devices: number, version = 2): number {
  const known = { canTrain: true, canEvaluate: true, seenMs: 0 };
  const fleet = new Map(Array.from({ length: devices }, (_, at) => [`device-${at}` as DeviceId, known]));
  const state: RoundsState = { ...initialState, fleet };
  const context = { nowMs: 0, policy };
  const below = reachOfStep(state, version, { mode: "canary", step: 0 }, context);
  const trial = { version, value: 1, mode: "canary", step: 0, below, sinceMs: 0, nextCheckMs: 0 } as const;
  return trialDevices({ ...state, trial: { ...trial, failures: 0 } }, context).length;
}

const fleets = fc.integer({ min: 1, max: 40 });
const versions = fc.integer({ min: 1, max: 1_000 });

describe("a step of a trial", () => {
  test("reaches its share of the devices that are there, rounded up", () => {
    const shares = fc.integer({ min: 1, max: 100 });
    const law = (percent: number, devices: number, version: number) => {
      expect(reached(policyWith(`${percent}%`), devices, version)).toBe(Math.ceil((percent * devices) / 100));
    };
    fc.assert(fc.property(shares, fleets, versions, law));
    // 0.07 times 100 is a little more than 7.
    expect(reached(policyWith("7%"), 100)).toBe(7);
  });

  test("reaches so many devices, or all that there are", () => {
    const law = (count: number, devices: number, version: number) => {
      expect(reached(policyWith(`${count}`), devices, version)).toBe(Math.min(count, devices));
    };
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fleets, versions, law));
  });
});
