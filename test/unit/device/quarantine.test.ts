import { expect, test } from "vitest";
import { WriteBatch } from "../../../device/batched-writes.js";
import { QuarantineStore } from "../../../device/quarantine.js";
import { Counters } from "../../../shared/counters.js";
import type { QuarantineItem } from "../../../shared/pipeline/types.js";
import { createDisk } from "../../support/device-kit.js";
import { ManualClock } from "../../support/manual-clock.js";

function setUp(maxPages?: number) {
  const { telemetry } = createDisk(maxPages === undefined ? {} : { telemetry: maxPages });
  const batch = new WriteBatch(telemetry, new ManualClock());
  const counters = new Counters();
  return { telemetry, batch, counters, store: new QuarantineStore({ database: telemetry, batch, counters }) };
}

function item(timeMs: number, raw?: Uint8Array): QuarantineItem {
  return { source: "air", entity: "a", timeMs, reason: "range", field: "x", value: 1e9, raw };
}

test("what was set aside is kept with the beginning of its message", () => {
  const { telemetry, batch, store } = setUp();
  store.add(item(7, Buffer.from("x".repeat(5000))));
  store.add({ ...item(8), field: undefined, value: null });
  batch.flush();
  const rows = telemetry.all(
    "SELECT source, entity, time_ms, reason, field, value, length(raw) AS bytes FROM quarantine",
  );
  const common = { source: "air", entity: "a", reason: "range" };
  expect(rows).toEqual([
    { ...common, time_ms: 7, field: "x", value: 1e9, bytes: 1024 },
    { ...common, time_ms: 8, field: null, value: null, bytes: null },
  ]);
});

test("it holds the newest five thousand", () => {
  const { telemetry, store, batch } = setUp();
  for (let i = 0; i < 6200; i++) store.add(item(i));
  batch.flush();
  const row = telemetry.get(
    "SELECT count(*) AS n, min(time_ms) AS first, max(time_ms) AS last FROM quarantine",
  );
  expect(row).toEqual({ n: 5000, first: 1200, last: 6199 });
});

test("a full disk costs items, counted", () => {
  const { store, batch, counters } = setUp(30);
  for (let i = 0; i < 100; i++) store.add(item(i, new Uint8Array(1000)));
  batch.flush();
  expect(counters.toJSON()).toEqual({ "quarantine.dropped-disk-full": 100 });
});
