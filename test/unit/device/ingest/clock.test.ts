import { expect, test } from "vitest";
import { EventClock } from "../../../../device/ingest/clock.js";
import type { Clock } from "../../../../shared/clock.js";

function clockAt(nowMs: number): Clock & { nowMs: number } {
  return {
    nowMs,
    now: () => clock.nowMs,
    after: () => () => undefined,
    turn: async () => undefined,
  } as never;
}
let clock: Clock & { nowMs: number };

test("telemetry as it happens is judged by the machine's clock, once that has been set", () => {
  clock = clockAt(60_000);
  const event = new EventClock(clock, undefined);
  event.heard(Date.UTC(2030, 0, 1));
  expect(event.now()).toBeUndefined();
  clock.nowMs = Date.UTC(2026, 5, 1);
  expect(event.now()).toBe(clock.nowMs);
});

test("a replay's clock goes on from its newest reading, so many times as fast", () => {
  clock = clockAt(Date.UTC(2026, 5, 1));
  const event = new EventClock(clock, 3600);
  expect(event.now()).toBeUndefined();
  const read = Date.UTC(2013, 2, 1);
  event.heard(read);
  clock.nowMs += 500;
  event.heard(read - 1000);
  expect(event.now()).toBe(read + 1_800_000);
});
