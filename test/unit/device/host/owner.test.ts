import { describe, expect, test } from "vitest";
import { parseQuietHours, refusalOf } from "../../../../device/host/owner.js";
import { ManualClock } from "../../../support/manual-clock.js";

const idle = { load: () => 0.1, freeMemory: () => 4e9 };
const none = { maxLoad: undefined, minFreeMemory: undefined, quiet: undefined };

/** A clock at this local time of day. */
async function clockAt(hour: number, minute: number): Promise<ManualClock> {
  const clock = new ManualClock();
  const local = new Date(clock.now());
  local.setDate(local.getDate() + 1);
  local.setHours(hour, minute, 0, 0);
  await clock.advance(local.getTime() - clock.now());
  return clock;
}

describe("quiet hours", () => {
  test.each([
    ["22:00-06:00", 23, 30, true],
    ["22:00-06:00", 5, 59, true],
    ["22:00-06:00", 6, 0, false],
    ["09:00-17:00", 12, 0, true],
    ["09:00-17:00", 17, 0, false],
  ])("%s at %i:%i: %s", async (text, hour, minute, isQuiet) => {
    const rules = { ...none, quiet: parseQuietHours(text) };
    expect(refusalOf(rules, await clockAt(hour, minute), idle)).toBe(isQuiet ? "quiet hours" : undefined);
  });

  test.each(["24:00-06:00", "22-06", "22:00", "night"])("%j is none", (text) => {
    expect(parseQuietHours(text)).toBeUndefined();
  });
});

test("a busy machine and one short of memory are left alone, with the numbers", () => {
  const clock = new ManualClock();
  expect(refusalOf({ ...none, maxLoad: 0.8 }, clock, { ...idle, load: () => 1.25 })).toBe(
    "load 1.25 per core above 0.8",
  );
  expect(refusalOf({ ...none, minFreeMemory: 2 ** 28 }, clock, { ...idle, freeMemory: () => 2 ** 27 })).toBe(
    "128MiB of memory free, below 256MiB",
  );
  expect(refusalOf({ ...none, maxLoad: 0.8, minFreeMemory: 2 ** 28 }, clock, idle)).toBeUndefined();
});
