import { expect, test } from "vitest";
import { OnlineRows } from "../../../../device/infer/online-rows.js";

const row = (entity: string, timeMs: number) => ({
  entity,
  timeMs,
  features: Float32Array.of(timeMs),
  test: false,
});

test("the newest row of each entity is kept, whatever comes late", () => {
  const rows = new OnlineRows(1);
  for (const timeMs of [1, 3, 2]) rows.add(row("a", timeMs));
  rows.add(row("b", 1));
  expect([rows.of("a")?.timeMs, rows.of("b")?.timeMs, rows.of("c")]).toEqual([3, 1, undefined]);
});

test("entities heard of longest ago make room: wide rows leave room for few", () => {
  const rows = new OnlineRows(1024 * 1024);
  rows.add(row("a", 1));
  rows.add(row("b", 1));
  expect([rows.of("a"), rows.of("b")?.entity]).toEqual([undefined, "b"]);
});
