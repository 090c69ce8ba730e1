import { expect, test } from "vitest";
import type { Trainer } from "../../../device/train/trainer.js";
import { systemClock } from "../../../shared/clock.js";
import { VirtualClock } from "../../../simulator/clock.js";
import { createVirtualTrainer } from "../../../simulator/trainer.js";
import { denseModel, trainJob } from "../../support/model.js";

const job = trainJob(denseModel(), new Float32Array(41));

/** A trainer that takes a number of real turns for each job, or fails. */
function slowTrainer(turnsOf: () => number): Trainer {
  return {
    engine: "tfjs-cpu",
    async run() {
      const turns = turnsOf();
      for (let turn = 0; turn < Math.abs(turns); turn++) await systemClock.turn();
      if (turns < 0) throw new Error("the worker died");
      return { kind: "train", params: new Float32Array(), steps: turns, loss: 0 } as never;
    },
    close: () => Promise.resolve(),
  };
}

test("jobs end in order of their virtual cost, whichever worker was faster", async () => {
  const clock = new VirtualClock({ startMs: 0 });
  const turns = [50, 1, 20];
  const costs = [10, 30, 20];
  const trainer = createVirtualTrainer({
    clock,
    trainer: slowTrainer(() => turns.shift()!),
    costMs: () => costs.shift()!,
  });
  const ended: (readonly [atMs: number, steps: number])[] = [];
  for (let i = 0; i < 3; i++) {
    void trainer.run(job).then(({ steps }) => ended.push([clock.now(), steps]));
  }
  await clock.run();
  expect(ended).toEqual([
    [10, 50],
    [20, 20],
    [30, 1],
  ]);
});

test("a job's failure is heard when the job would have ended, and not before", async () => {
  const clock = new VirtualClock({ startMs: 0 });
  const trainer = createVirtualTrainer({ clock, trainer: slowTrainer(() => -1), costMs: () => 500 });
  let failedMs = 0;
  trainer.run(job).catch(() => {
    failedMs = clock.now();
  });
  await clock.run({ horizonMs: 499 });
  expect(failedMs).toBe(0);
  await clock.run();
  expect(failedMs).toBe(500);
});
