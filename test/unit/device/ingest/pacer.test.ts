import { expect, test } from "vitest";
import { Pacer } from "../../../../device/ingest/pacer.js";
import { ManualClock } from "../../../support/manual-clock.js";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2013, 0, 1);

/** Waits for each hour in turn; when it was its time, in ms after the start. */
function replay(clock: ManualClock, pacer: Pacer, ...hours: readonly number[]) {
  const dueMs: number[] = [];
  const startMs = clock.now();
  const done = (async () => {
    for (const hour of hours) {
      if (!(await pacer.wait(START_MS + hour * HOUR_MS))) return;
      dueMs.push(clock.now() - startMs);
    }
  })();
  return { dueMs, done };
}

test("messages come at their time, so many times as fast", async () => {
  const clock = new ManualClock();
  const { dueMs } = replay(clock, new Pacer(clock, 3600, new AbortController().signal), 0, 0, 1, 1, 1, 3);
  await clock.advance(10_000);
  expect(dueMs).toEqual([0, 0, 1000, 1000, 1000, 3000]);
});

test("what is out of order, or comes after a pause of ours, comes at once", async () => {
  const clock = new ManualClock();
  const pacer = new Pacer(clock, 3600, new AbortController().signal);
  const first = replay(clock, pacer, 1, 0);
  await first.done;
  await clock.advance(5000);
  const later = replay(clock, pacer, 2, 3, 7);
  await clock.advance(10_000);
  expect(first.dueMs).toEqual([0, 0]);
  expect(later.dueMs).toEqual([0, 0, 1000]);
});

test("when the replay ends nothing waits, and nothing more is due", async () => {
  const clock = new ManualClock();
  const end = new AbortController();
  const { dueMs, done } = replay(clock, new Pacer(clock, 1, end.signal), 0, 1, 2);
  await clock.advance(1000);
  end.abort();
  await done;
  expect(dueMs).toEqual([0]);
  expect(clock.pending).toBe(0);
});
