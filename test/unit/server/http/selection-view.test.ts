import { expect, test } from "vitest";
import { describeStatus } from "../../../../cli/status.js";
import { selectionSchema } from "../../../../server/http/schema.js";
import { selectionView } from "../../../../server/http/selection-view.js";
import type { ServerStatus } from "../../../../server/status.js";

const score = {
  ...{ rung: 0, version: 4, rounds: 5, devices: 3, rows: 30, value: 1.5, worst: 2.5 },
  ...{ latencyUs: null, behind: { mean: 0.5, low: 0.25, high: 0.75 } },
};
const arm = { first: 1, head: 4, rounds: 5, tries: 0, norms: [], scores: [score] };

const status: Pick<ServerStatus, "selection"> = {
  selection: {
    policy: {
      arms: ["small", "wide"].map((name) => ({ name, parameters: 10, bytes: 40 })),
      ...{ rungs: [5, 15], eta: 3, metric: "rmse", latencyMs: undefined },
    },
    excluded: [{ arm: "huge", reason: "900 parameters above limit 20" }],
    state: {
      ...{ rung: 1, turn: { tries: -1, round: 0 }, unscored: 0, winner: "small" },
      arms: [
        { ...arm, name: "small", out: null },
        { ...arm, name: "wide", out: "rmse 2 against 1" },
      ],
    },
  },
};

// The view reads nothing else.
const view = selectionView(status as ServerStatus);

test("candidates are described by what they answer and cost", () => {
  expect(view).toEqual(selectionSchema.parse(view));
  expect(view).toMatchObject({ winner: "small", rung: 1, excluded: [{ name: "huge" }] });
  expect(view?.candidates[1]).toEqual({
    ...{ name: "wide", parameters: 10, bytes: 40, version: 4, rounds: 5, out: "rmse 2 against 1" },
    ...{ value: 1.5, worst: 2.5, scoredRounds: 5, rows: 30, devices: 3 },
    comparisons: [
      {
        ...{ rung: 1, rounds: 5, version: 4, devices: 3, rows: 30, value: 1.5, worst: 2.5 },
        behind: { mean: 0.5, low: 0.25, high: 0.75 },
      },
    ],
  });
});

test("a task without candidates has none", () => {
  expect(selectionView({ ...(status as ServerStatus), selection: undefined })).toBeUndefined();
});

test("the terminal has a line for each", () => {
  const text = describeStatus({
    ...{ task: "t", version: "1", startedMs: 0, nowMs: 0, isReady: true },
    ...{ rounds: 0, trainRounds: 0, trainRoundsMax: 9, head: 1, stable: 0, metric: "rmse" },
    ...{ fleet: { enrolled: 0, connected: 0, heard: 0 }, devices: [], counters: {} },
    broker: { kind: "embedded", urls: [], isConnected: true },
    actions: { isAvailable: false, needsToken: false },
    ...(view && { selection: view }),
  });
  expect(text).toContain("candidates: small selected");
  expect(text).toMatch(/wide +│ 1.5 +│ 2.5 +│ - +│ 10 +│ 40 +│ 5 +│ rmse 2 against 1/);
  expect(text).toMatch(/huge .* 900 parameters above limit 20/);
});
