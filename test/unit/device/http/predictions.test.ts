import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Agent } from "../../../../device/agent.js";
import { WriteBatch } from "../../../../device/batched-writes.js";
import { createHttpApp } from "../../../../device/http/http.js";
import { predictionsPart } from "../../../../device/http/predictions.js";
import { PredictionLog } from "../../../../device/infer/predictions.js";
import { DeviceMeter } from "../../../../device/metrics/meter.js";
import { Counters } from "../../../../shared/counters.js";
import { silentLogger } from "../../../../shared/log.js";
import { createDisk, deviceId } from "../../../support/device-kit.js";
import { ManualClock } from "../../../support/manual-clock.js";

const clock = new ManualClock(0);
const counters = new Counters();
const database = createDisk().telemetry;
const log = new PredictionLog({ database, batch: new WriteBatch(database, clock), clock, counters });
const HOUR_MS = 3_600_000;
let app: FastifyInstance;

beforeAll(async () => {
  for (let hour = 0; hour < 60; hour++) {
    for (const entity of ["pump 1", "pump/2"]) {
      const timeMs = Date.UTC(2026, 2, 1) + hour * HOUR_MS;
      const made = { timeMs, version: 3, value: hour / 2, probability: null, anomaly: null } as const;
      log.add({ id: `${entity}-${hour}`, entity, ...made });
    }
  }
  app = await createHttpApp({
    config: { host: "127.0.0.1", port: 0, token: undefined },
    // All that this part asks for.
    agent: { predictions: (query) => log.find(query) } as Partial<Agent> as Agent,
    ...{ meter: new DeviceMeter(clock), isTelemetryConnected: () => false, version: "1", startedMs: 0 },
    ...{ device: deviceId("pi"), clock, logger: silentLogger, counters, parts: [predictionsPart] },
  });
});

afterAll(() => app.close());

const get = (query: Record<string, string>) => app.inject({ url: "/predictions", query });

test("an entity's predictions of a range come newest first, page by page", async () => {
  const range = { entity: "pump/2", from: "2026-03-01T10:00:00Z", to: "2026-03-02", limit: "10" };
  const first = (await get(range)).json();
  expect(first.predictions).toHaveLength(10);
  expect(first.predictions[0]).toEqual({
    ...{ id: "pump/2-23", entity: "pump/2", timeMs: Date.UTC(2026, 2, 1, 23) },
    ...{ version: 3, value: 11.5, probability: null, anomaly: null },
  });
  const second = (await get({ ...range, after: first.next })).json();
  expect(second.predictions.map(({ id }: { id: string }) => id)).toEqual([
    "pump/2-13",
    "pump/2-12",
    "pump/2-11",
    "pump/2-10",
  ]);
  expect(second).not.toHaveProperty("next");
});

test("without a query the newest hundred rows of all entities", async () => {
  const { predictions, next } = (await get({})).json();
  expect(predictions).toHaveLength(100);
  expect([predictions[0].value, predictions[99].value]).toEqual([29.5, 5]);
  expect((await get({ after: next })).json().predictions).toHaveLength(20);
});

test.each([
  [{ limit: "0" }, 'limit: expected a whole number from 1 to 1000, got "0"'],
  [{ limit: "many" }, "limit: expected a whole number"],
  [
    { from: "yesterday" },
    'from: expected a date (2016-03-01) or an ISO 8601 time with a zone (2016-03-01T12:00:00Z), got "yesterday"',
  ],
  [{ after: "7" }, "after: expected the `next` of the page before"],
  [{ entity: "x".repeat(1025) }, "entity:"],
  [{ device: "x" }, "query: Unrecognized key"],
])("%j is refused and counted, and says why", async (query: Record<string, string>, message) => {
  const before = counters.get("http.bad-request");
  const reply = await get(query);
  expect(reply.statusCode).toBe(400);
  expect(reply.json().message).toContain(message);
  expect(reply.json().message.split(message)).toHaveLength(2);
  expect(counters.get("http.bad-request")).toBe(before + 1);
});
