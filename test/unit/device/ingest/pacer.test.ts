import { expect, test } from "vitest";
import { Pacer } from "../../../../device/ingest/pacer.js";
import { ManualClock } from "../../../support/manual-clock.js";
import { reading } from "../../../support/pipeline.js";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2013, 0, 1);

function readingsAt(...hours: readonly number[]) {
  return hours.map((hour) => reading(START_MS + hour * HOUR_MS, { v: hour }));
}

/** Runs the replay; when each group came, in ms after the start, and how many were in it. */
function replay(clock: ManualClock, pacer: Pacer, ...hours: readonly number[]) {
  const groups: (readonly [number, number])[] = [];
  const startMs = clock.now();
  const done = (async () => {
    for await (const due of pacer.pace(readingsAt(...hours)))
      groups.push([clock.now() - startMs, due.length]);
  })();
  return { groups, done };
}

test("readings come at their time, so many times as fast; those of one time together", async () => {
  const clock = new ManualClock();
  const { groups } = replay(clock, new Pacer(clock, 3600, new AbortController().signal), 0, 0, 1, 1, 1, 3);
  await clock.advance(10_000);
  expect(groups).toEqual([
    [0, 2],
    [1000, 3],
    [3000, 1],
  ]);
});

test("what is out of order, or comes after a pause of ours, comes at once", async () => {
  const clock = new ManualClock();
  const pacer = new Pacer(clock, 3600, new AbortController().signal);
  const first = replay(clock, pacer, 1, 0);
  await first.done;
  await clock.advance(5000);
  const later = replay(clock, pacer, 2, 3, 7);
  await clock.advance(10_000);
  expect(first.groups).toEqual([[0, 2]]);
  expect(later.groups).toEqual([
    [0, 2],
    [1000, 1],
  ]);
});

test("when the replay ends nothing waits: what it had in hand comes at once", async () => {
  const clock = new ManualClock();
  const end = new AbortController();
  const { groups, done } = replay(clock, new Pacer(clock, 1, end.signal), 0, 1, 2);
  await clock.advance(1000);
  end.abort();
  await done;
  expect(groups).toEqual([
    [0, 1],
    [1000, 2],
  ]);
  expect(clock.pending).toBe(0);
});
