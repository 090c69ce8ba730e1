import fc from "fast-check";
import { expect, test } from "vitest";
import { Sessions } from "../../../../shared/pipeline/sessions.js";
import { decodeState, encodeState } from "../../../../shared/pipeline/state.js";
import { reading, runAll, taskOf } from "../../../support/pipeline.js";

test("a session ends with a pause longer than the limit, and is asked for later than it is seen", () => {
  const sessions = new Sessions(10);
  for (const timeMs of [0, 10, 20, 31, 40]) sessions.see(timeMs);
  expect([0, 20, 31, 40].map((timeMs) => sessions.startOf(timeMs))).toEqual([0, 0, 31, 31]);
});

test("state taken up tells the same", () => {
  const times = fc.uniqueArray(fc.nat(500), { minLength: 1 }).map((all) => all.toSorted((a, b) => a - b));
  fc.assert(
    fc.property(times, fc.nat(100), (all, cut) => {
      const whole = new Sessions(10);
      for (const timeMs of all) whole.see(timeMs);
      let parted = new Sessions(10);
      all.forEach((timeMs, i) => {
        if (i === cut) {
          const before = parted;
          parted = new Sessions(10);
          parted.restore(decodeState(encodeState(before.save())));
        }
        parted.see(timeMs);
      });
      const ask = (sessions: Sessions) => all.map((timeMs) => sessions.startOf(timeMs));
      expect(ask(parted)).toEqual(ask(whole));
    }),
  );
});

test("all examples of one session are on one side", () => {
  const task = taskOf({
    rows: { split: { test: { by: "session", share: "50%", pause: "1m" }, validation: "0%" } },
  });
  const session = (at: number) => Array.from({ length: 5 }, (_, i) => at * 3_600_000 + i * 60_000);
  const starts = Array.from({ length: 40 }, (_, at) => at);
  const { examples } = runAll(
    task,
    starts.flatMap(session).map((timeMs) => reading(timeMs, { x: 1 })),
  );
  const sides = starts.map((at) => {
    const times = new Set(session(at));
    return new Set(examples.filter(({ timeMs }) => times.has(timeMs)).map(({ split }) => split));
  });
  expect(sides.every((each) => each.size === 1)).toBe(true);
  expect(new Set(sides.map((each) => [...each][0]))).toEqual(new Set(["train", "test"]));
});
