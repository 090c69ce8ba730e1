// Predictions over a real broker.

import { afterAll, expect, test } from "vitest";
import {
  PredictionPublisher,
  type PredictionPublisherOptions,
} from "../../device/host/prediction-publisher.js";
import { startTelemetryBroker } from "../../server/broker/telemetry-broker.js";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { silentLogger } from "../../shared/log.js";
import { randomStream } from "../../shared/random.js";
import { taskId } from "../support/device-kit.js";
import { openSession } from "../support/test-session.js";
import { until } from "../support/until.js";

const closers: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function open(
  options: Pick<PredictionPublisherOptions, "endpoint" | "topic"> & Partial<PredictionPublisherOptions>,
) {
  const counters = new Counters();
  const publisher = new PredictionPublisher({
    ...{ task: taskId("pumps"), clientId: "pi-predictions", counters, retainedEntities: 0, remembered: [] },
    ...{ clock: systemClock, random: randomStream("test", "predictions"), logger: silentLogger },
    ...options,
  });
  closers.push(() => publisher.close());
  return { publisher, counters };
}

test("those made without a connection wait for it, the oldest making room, and each is one JSON message", async () => {
  const broker = await startTelemetryBroker({ logger: silentLogger });
  closers.push(() => broker.close());
  const endpoint = { url: broker.url };
  const listener = openSession("listener", { endpoint, subscriptions: ["predictions"] });
  closers.push(() => listener.session.close());
  await until(() => listener.connects === 1);
  const { publisher, counters } = open({ endpoint, topic: "predictions" });
  // In this turn of the event loop nothing can connect.
  const made = { entity: "pump-1", version: 3, value: 21.5, probability: null };
  for (let timeMs = 0; timeMs < 1010; timeMs++)
    publisher.publish({ ...made, id: `id-${timeMs}`, timeMs, anomaly: timeMs === 10 ? null : 1 });
  await until(() => listener.messages.length === 1000, 30_000);
  const times = listener.messages.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()));
  expect(times[0]).toEqual({ ...made, task: "pumps", id: "id-10", timeMs: 10 });
  expect(times[1]).toEqual({ ...made, task: "pumps", id: "id-11", timeMs: 11, anomaly: 1 });
  expect(times.map(({ timeMs }) => timeMs)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 10));
  expect(counters.toJSON()).toEqual({ "predictions.overflow": 10 });
});

test("Home Assistant is told once of an entity, finds its last prediction, and learns when the device has gone", async () => {
  const broker = await startTelemetryBroker({ logger: silentLogger });
  closers.push(() => broker.close());
  const endpoint = { url: broker.url };
  const { publisher } = open({
    ...{ endpoint, topic: "predictions", retainedEntities: 100 },
    homeAssistant: { device: "pi", version: "1.2.3", output: () => "regression" },
  });
  const made = { entity: "pump-1", version: 3, probability: null, anomaly: null };
  for (const value of [1, 2]) publisher.publish({ ...made, id: `id-${value}`, timeMs: value, value });
  // Retained: whoever comes later finds them.
  const heard = new Map<string, string>();
  const subscriptions = ["homeassistant/#", "predictions/#"];
  const listener = openSession("assistant", { endpoint, subscriptions });
  closers.push(() => listener.session.close());
  const read = () => {
    for (const { topic, payload } of listener.messages) heard.set(topic, Buffer.from(payload).toString());
    return heard;
  };
  const config = "homeassistant/sensor/pi_pumps/pump-1/config";
  await until(() => read().has(config) && read().has("predictions/pump-1"), 30_000);
  expect(JSON.parse(heard.get(config)!).state_topic).toBe("predictions/pump-1");
  expect(JSON.parse(heard.get("predictions/pump-1")!)).toMatchObject({ id: "id-2", value: 2 });
  expect(heard.get("predictions/availability")).toBe("online");
  await publisher.close();
  await until(() => read().get("predictions/availability") === "offline", 30_000);
});

test("each entity's newest is kept by the broker, with those of before the start, and only of so many entities", async () => {
  const broker = await startTelemetryBroker({ logger: silentLogger });
  closers.push(() => broker.close());
  const endpoint = { url: broker.url };
  const early = openSession("early", { endpoint, subscriptions: ["site/prediction/+"] });
  closers.push(() => early.session.close());
  await until(() => early.connects === 1);
  const predictionOf = (entity: string, timeMs: number) =>
    ({ id: "i", entity, timeMs, version: 3, value: timeMs, probability: null, anomaly: null }) as const;
  const { publisher, counters } = open({
    ...{ endpoint, topic: "site/prediction", retainedEntities: 3 },
    remembered: [
      predictionOf("gone", 1),
      predictionOf("hall 1/pump+#", 2),
      predictionOf("x".repeat(2000), 3),
    ],
  });
  publisher.publish(predictionOf("hall 1/pump+#", 9));
  // A late reading has changed an old row: the topic is of the newest.
  publisher.publish(predictionOf("hall 1/pump+#", 5));
  publisher.publish(predictionOf("pump-2", 7));
  publisher.publish(predictionOf("pump-3", 8));
  const newest = (topic: string) => early.messages.filter((message) => message.topic === topic).at(-1);
  await until(
    () => newest("site/prediction/pump-3") !== undefined && newest("site/prediction/gone") !== undefined,
  );
  // Whoever comes later has each once, and nothing of what made room.
  const late = openSession("late", { endpoint, subscriptions: ["site/prediction/+"] });
  closers.push(() => late.session.close());
  await until(() => late.messages.length === 3);
  const shown = late.messages.map(({ topic, payload }) => [
    topic,
    JSON.parse(Buffer.from(payload).toString()).timeMs,
  ]);
  expect(shown.sort()).toEqual([
    ["site/prediction/hall%201%2Fpump%2B%23", 9],
    ["site/prediction/pump-2", 7],
    ["site/prediction/pump-3", 8],
  ]);
  expect(counters.toJSON()).toEqual({
    "predictions.retained-forgotten": 1,
    "predictions.retained-long-entity": 1,
  });
});
