import { expect, test } from "vitest";
import { BatchedWrites } from "../../../device/batched-writes.js";
import { ManualClock } from "../../support/manual-clock.js";

function setUp() {
  const clock = new ManualClock();
  const written: number[][] = [];
  return { clock, written, writes: new BatchedWrites<number>(clock, (items) => written.push([...items])) };
}

test("five hundred rows are one write, at once", () => {
  const { writes, written } = setUp();
  for (let i = 0; i < 1200; i++) writes.add(i);
  expect(written.map(({ length }) => length)).toEqual([500, 500]);
  expect(writes.waiting).toHaveLength(200);
});

test("fewer are written after a second", async () => {
  const { clock, writes, written } = setUp();
  writes.add(1);
  await clock.advance(600);
  writes.add(2);
  expect(written).toEqual([]);
  await clock.advance(400);
  expect(written).toEqual([[1, 2]]);
});

test("a flush leaves nothing behind for the timer", async () => {
  const { clock, writes, written } = setUp();
  writes.add(1);
  writes.flush();
  await clock.advance(2000);
  expect(written).toEqual([[1]]);
});
