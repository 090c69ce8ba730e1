import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../../../server/round/decide.js";
import { type Policy, policyOf } from "../../../../server/round/policy.js";
import { initialState, type RoundsState, type TrialState } from "../../../../server/round/state.js";
import { reachOfStep, releaseCommand, trialDevices } from "../../../../server/round/trial-reach.js";
import type { DeviceId } from "../../../../shared/id.js";
import { parseTask } from "../../../../shared/task/parse.js";
import type { Labels } from "../../../../shared/wire/message.js";
import { isInTrial } from "../../../../shared/wire/trial.js";

const policyWith = (step: string) => policyOfRollout(`{ canary: { steps: [${step}] } }`);

function policyOfRollout(rollout: string): Policy {
  const { task } = parseTask(`
task: pumps
sources: { s: { mqtt: "p", decode: json, time: { field: t, unit: ms } } }
features: { from: s, list: [ { copy: [x] } ] }
label: { field: y }
model: { dense: [2], output: regression }
rollout: ${rollout}
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
  return trialDevices({ ...state, trial: trialOf(version, below) }, context).length;
}

function trialOf(version: number, below: number): TrialState {
  const times = { sinceMs: 0, nextCheckMs: 0 };
  return { version, value: 1, mode: "canary", step: 0, below, failures: 0, ...times };
}

const fleets = fc.integer({ min: 1, max: 40 });
const versions = fc.integer({ min: 1, max: 1_000 });

describe("whom the server counts", () => {
  const kinds = fc.constantFrom<Labels>({}, { site: "lab" }, { site: "field" });
  const shadowed = policyOfRollout(
    "{ canary: { steps: [50%], labels: { site: lab } }, shadow: { share: 50% } }",
  );

  test("is who takes part by the release alone, in shadow as in a canary, whatever labels they have", () => {
    const law = (labels: readonly Labels[], mode: "shadow" | "canary", version: number) => {
      const ids = labels.map((_, at) => `device-${at}` as DeviceId);
      const hello = { type: "hello", canTrain: true, canEvaluate: true, nowMs: 0 } as const;
      const met = ids.reduce<RoundsState>(
        (state, device, at) => decide(state, { ...hello, device, labels: labels[at]! }, shadowed).state,
        initialState,
      );
      const context = { nowMs: 0, policy: shadowed };
      const below = reachOfStep(met, version, { mode, step: 0 }, context);
      const state = { ...met, stable: 1, trial: { ...trialOf(version, below), mode } };
      const told = releaseCommand(state, shadowed);
      const terms = told.type === "release" ? told.trial : null;
      expect(trialDevices(state, context)).toEqual(
        ids.filter((id, at) => isInTrial(terms!, id, labels[at]!)),
      );
    };
    const fleetLabels = fc.array(kinds, { maxLength: 20 });
    fc.assert(fc.property(fleetLabels, fc.constantFrom("shadow", "canary"), versions, law));
  });
});

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
