import { expect, test } from "vitest";
import { HeldMessages } from "../../../../device/ingest/held.js";
import type { SourceMessage } from "../../../../device/ingest/sources/port.js";
import { Counters } from "../../../../shared/counters.js";
import { ManualClock } from "../../../support/manual-clock.js";

const TODAY_MS = Date.UTC(2026, 10, 27);

function setUp() {
  const clock = new ManualClock(0);
  const counters = new Counters();
  const released: SourceMessage[] = [];
  const held = new HeldMessages({ clock, counters, release: (message) => void released.push(message) });
  const add = (text: string, bytes = 1) =>
    held.add({ source: "air", topic: text, payload: new Uint8Array(bytes), arrivalMs: clock.now() });
  return { clock, counters, held, released, add };
}

test("messages wait for the clock and are stamped by how long ago they came, in order", async () => {
  const { clock, released, add } = setUp();
  add("first");
  await clock.advance(5000);
  add("second");
  await clock.advance(2000);
  expect(released).toEqual([]);
  clock.set(TODAY_MS);
  await clock.advance(1000);
  expect(released.map(({ topic, arrivalMs }) => [topic, arrivalMs - TODAY_MS])).toEqual([
    ["first", -7000],
    ["second", -2000],
  ]);
  expect(clock.pending).toBe(0);
});

test("a message that comes after the clock was set finds the held ones gone before it", () => {
  const { clock, held, released, add } = setUp();
  add("first");
  clock.set(TODAY_MS);
  held.releaseIfSane();
  expect(released.map(({ topic }) => topic)).toEqual(["first"]);
});

test("a clock that is never set costs the oldest, and a bounded memory", () => {
  const { held, clock, released, counters, add } = setUp();
  for (let i = 0; i < 40; i++) add(`${i}`, 64 * 1024);
  for (let i = 0; i < 10_050; i++) add(`small ${i}`, 0);
  clock.set(TODAY_MS);
  held.releaseIfSane();
  expect(released).toHaveLength(10_000);
  expect(counters.toJSON()).toEqual({ "telemetry.clock-unset": 90, "telemetry.held": 10_090 });
});
