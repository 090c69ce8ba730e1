import { expect, test } from "vitest";
import { Lifetime } from "../../../device/lifetime.js";
import { ManualClock } from "../../support/manual-clock.js";

test("timers fire while the device lives, and never after its end", async () => {
  const clock = new ManualClock();
  const life = new Lifetime(clock);
  const fired: string[] = [];
  life.after(10, () => fired.push("before"));
  life.after(30, () => fired.push("after"));
  await clock.advance(20);
  life.end();
  life.after(1, () => fired.push("dead"));
  await clock.advance(100);
  expect(fired).toEqual(["before"]);
  expect(clock.pending).toBe(0);
  expect(life.signal.aborted).toBe(true);
});

test("a cancelled timer does not fire", async () => {
  const clock = new ManualClock();
  const life = new Lifetime(clock);
  const fired: string[] = [];
  const cancel = life.after(10, () => fired.push("cancelled"));
  cancel();
  cancel();
  await clock.advance(100);
  expect(fired).toEqual([]);
});
