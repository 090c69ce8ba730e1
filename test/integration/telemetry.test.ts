// Sensors of every format over a real broker: from what they publish to readings, and what is answered.

import { get } from "sparkplug-payload";
import { afterEach, describe, expect, test } from "vitest";
import { examples } from "../../device/ingest/decoders/examples.js";
import { startTelemetryBroker } from "../../server/broker/telemetry-broker.js";
import { silentLogger } from "../../shared/log.js";
import type { Reading } from "../../shared/pipeline/types.js";
import { payloadOf, taskWith } from "../support/decoder-lab.js";
import { directTelemetry } from "../support/direct-telemetry.js";
import { hasMosquitto, startMosquitto, withMosquitto } from "../support/mosquitto.js";
import { onBroker } from "../support/source-lab.js";
import { openSession } from "../support/test-session.js";
import { until } from "../support/until.js";

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
});

function keep<Part extends { close(): Promise<void> }>(part: Part): Part {
  opened.push(part);
  return part;
}

/** A device's telemetry for a task with one source. */
async function listen(url: string, name: string, source: string, fields: string) {
  const { telemetry, readings, counters } = directTelemetry({
    device: name,
    bindings: { air: onBroker(url) },
  });
  keep(telemetry);
  await telemetry.follow(taskWith(source, { fields, entity: "{device}" }));
  await until(() => telemetry.isConnected);
  return { readings, counters };
}

function publisher(url: string, subscriptions: readonly string[] = []) {
  const record = openSession("sensor", { endpoint: { url }, subscriptions });
  keep(record.session);
  return record;
}

describe.skipIf(!hasMosquitto)(withMosquitto("over Mosquitto"), () => {
  test("all formats at once, each as its example shows", async () => {
    const { url } = keep(await startMosquitto());
    const sensor = publisher(url);
    await until(() => sensor.session.isConnected);
    const listeners = await Promise.all(
      Object.entries(examples).map(async ([kind, { source, fields }]) =>
        listen(url, `pi-${kind}`, source, fields.join(", ")).then((heard) => ({ kind, ...heard })),
      ),
    );
    // One format after the other: some of their topics are the same.
    for (const { kind, readings, counters } of listeners) {
      const example = examples[kind as keyof typeof examples];
      const before = readings.length;
      for (const message of example.messages) await sensor.session.publish(message.topic, payloadOf(message));
      await until(() => readings.length >= before + example.readings.length);
      const taken = readings.slice(before).map(({ values }) => plain(values));
      expect([kind, taken]).toEqual([kind, example.readings.map(({ values }) => values)]);
      expect(counters.get("telemetry.taken")).toBeGreaterThanOrEqual(example.readings.length);
    }
  });
});

test("a node whose birth was lost is asked for it once, answers, and its values come", async () => {
  const { url } = keep(await startTelemetryBroker({ logger: silentLogger }));
  const node = publisher(url, ["spBv1.0/plant/NCMD/press-1"]);
  await until(() => node.session.isConnected);
  const source = "{ mqtt: spBv1.0/plant/+/press-1/#, decode: sparkplug }";
  const { readings, counters } = await listen(url, "pi-1", source, "temp");
  const sparkplug = get("spBv1.0")!;
  const timestamp = Date.UTC(2026, 0, 1);
  const data = (seq: number) =>
    sparkplug.encodePayload({ timestamp, seq, metrics: [{ alias: 1, type: "Double", value: seq }] });
  for (const seq of [7, 8, 9]) await node.session.publish("spBv1.0/plant/NDATA/press-1", data(seq));
  await until(() => counters.get("telemetry.no-birth") === 3 && node.messages.length > 0);
  expect(node.messages).toHaveLength(1);
  expect(sparkplug.decodePayload(node.messages[0]!.payload).metrics).toMatchObject([
    { name: "Node Control/Rebirth", value: true },
  ]);
  const birth = {
    timestamp,
    seq: 0,
    metrics: [{ name: "temp", alias: 1, type: "Double" as const, value: 21 }],
  };
  await node.session.publish("spBv1.0/plant/NBIRTH/press-1", sparkplug.encodePayload(birth));
  await node.session.publish("spBv1.0/plant/NDATA/press-1", data(1));
  await until(() => readings.length === 2);
  expect(readings.map(({ values }) => values)).toEqual([{ temp: 21 }, { temp: 1 }]);
  expect(counters.toJSON()).toMatchObject({ "telemetry.reply-sent": 1, "telemetry.reply-held-back": 2 });
});

test("a task that comes while the decoders of another are loading is the one that is followed", async () => {
  const { url } = keep(await startTelemetryBroker({ logger: silentLogger }));
  const sensor = publisher(url);
  const { telemetry, readings } = directTelemetry({ bindings: { air: onBroker(url) } });
  keep(telemetry);
  const task = (topic: string) =>
    taskWith(`{ mqtt: ${topic}, decode: number, field: a }`, { fields: "a", entity: "{topic.0}" });
  const first = telemetry.follow(task("old"));
  await Promise.all([first, telemetry.follow(task("new"))]);
  await until(() => telemetry.isConnected && sensor.session.isConnected);
  await sensor.session.publish("old", Buffer.from("1"));
  await sensor.session.publish("new", Buffer.from("2"));
  await until(() => readings.length > 0);
  expect(readings.map(({ entity }) => entity)).toEqual(["new"]);
});

function plain(values: Reading["values"]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value instanceof Float32Array ? [...value] : value]),
  );
}
