import { expect, test } from "vitest";
import { RoundScalars, type Traffic } from "../../../../server/tensorboard/round-scalars.js";
import { parseTask } from "../../../../shared/task/parse.js";
import { deviceId } from "../../../support/device-kit.js";
import { sumsOf } from "../../../support/device-report.js";
import { smallTask } from "../../../support/small-task.js";

const opened = { type: "round-opened", kind: "train", baseVersion: 1, cohort: [], deadlineMs: 9 } as const;
const accepted = { type: "update-accepted", round: 2, kind: "train", device: deviceId("a") } as const;

function watch() {
  let elapsedMs = 0;
  let traffic: Traffic | undefined = { up: 100, down: 10 };
  const added: [number, object][] = [];
  const scalars = new RoundScalars({
    writer: { add: (step, values) => added.push([step, values]) },
    output: parseTask(smallTask).task.model.output,
    elapsed: () => elapsedMs,
    traffic: () => traffic,
  });
  const pass = (ms: number, next: Traffic | undefined) => {
    elapsedMs += ms;
    traffic = next;
  };
  return { scalars, added, pass };
}

test("a round's scalars are what happened between its opening and its close", () => {
  const { scalars, added, pass } = watch();
  scalars.observe({ ...opened, round: 2 });
  scalars.observe({ ...accepted, updateId: "u" as never, examples: 40 });
  pass(2_500, { up: 160, down: 30 });
  const folded = [{ device: deviceId("a"), updateId: "u" as never }];
  scalars.observe({ type: "round-closed", round: 2, kind: "train", outcome: "completed", folded });
  expect(added).toEqual([
    [
      2,
      {
        ...{ "train/completed": 1, "train/participants": 1, "train/rejected": 0, "train/examples": 40 },
        ...{ "train/seconds": 2.5, "train/bytes_up": 60, "train/bytes_down": 20 },
      },
    ],
  ]);
});

test("of a round from before the start only what its close says is known, and over a broker of others no bytes are", () => {
  const { scalars, added, pass } = watch();
  scalars.observe({ type: "round-closed", round: 1, kind: "fit", outcome: "abandoned", folded: [] });
  expect(added[0]?.[1]).toMatchObject({ "fit/completed": 0, "fit/seconds": undefined });
  pass(0, undefined);
  scalars.observe({ ...opened, round: 2 });
  scalars.observe({ type: "round-closed", round: 2, kind: "train", outcome: "completed", folded: [] });
  expect(added[1]?.[1]).not.toHaveProperty("train/bytes_up");
});

test("what devices measured is told at the round that measured it", () => {
  const { scalars, added } = watch();
  scalars.observe({ ...opened, kind: "evaluate", round: 5 });
  scalars.observe({ type: "evaluated", version: 3, pooled: sumsOf(10, 2), perDevice: [] });
  expect(added[0]).toEqual([5, expect.objectContaining({ "evaluate/rmse": 2 })]);
});
