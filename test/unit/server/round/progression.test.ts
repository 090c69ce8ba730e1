import { expect, test } from "vitest";
import { policyOf } from "../../../../server/round/policy.js";
import { adoptRoot, noteAbandoned } from "../../../../server/round/progression.js";
import { initialState, type RoundsState } from "../../../../server/round/state.js";
import { linearTask } from "../../../support/linear-task.js";

const policy = policyOf(linearTask({ rest: "rollout: { revertAfter: 3 }" }).task, {
  seed: "1",
  maxDevices: 10,
});
const norms = Array.from({ length: 30 }, () => 0.01);

function abandon(state: RoundsState, times: number): RoundsState {
  return times === 0 ? state : abandon(noteAbandoned(state, policy), times - 1);
}

test("a fleet whose deltas are all refused as too long is not refused for ever", () => {
  const start: RoundsState = { ...initialState, head: 4, root: 4, stable: 4, norms };
  expect(abandon(start, 2).norms).toEqual(norms);
  expect(abandon(start, 3).norms).toEqual([]);
  expect(abandon({ ...start, abandonedRounds: 3 }, 3).norms).toEqual([]);
});

test("what deltas were usual is forgotten when head starts anew", () => {
  const making = { what: "revert", from: 2 } as const;
  const { state } = adoptRoot({ ...initialState, head: 7, lastVersion: 7, making, norms }, 8, 2);
  expect(state).toMatchObject({ head: 8, root: 8, norms: [] });
});
