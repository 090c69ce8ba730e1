// A subscriber that stops reading harms nobody but itself.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startTelemetryBroker } from "../../server/broker/telemetry-broker.js";
import { silentLogger } from "../../shared/log.js";
import { type BrokerLab, device, startBrokerLab } from "../support/broker-lab.js";
import { RawMqtt } from "../support/raw-mqtt.js";
import { until } from "../support/until.js";

const BLOCK = new Uint8Array(64 * 1024).fill(7);
const MB = 1024 * 1024;

describe("the embedded broker", () => {
  let lab: BrokerLab;
  beforeEach(async () => {
    lab = await startBrokerLab();
  });
  afterEach(() => lab.broker.close());

  test("serves others while one device is stalled, then cuts that one off at 4 MiB", async () => {
    const { uplink } = lab.serve();
    const stalled = await subscriber("stalled");
    const others = [await subscriber("a"), await subscriber("b")];
    stalled.stopReading();

    // Until the operating system's buffers are full and the broker's own begins to fill.
    const sendTo = (name: string) => uplink.send(device(name), `hw/1/t/down/${name}/block`, BLOCK);
    let sentToStalled = 0;
    for (; lab.broker.connections === 3; sentToStalled++) {
      await sendTo("stalled");
      // Each of the others gets one for one, while the stalled one gets none.
      for (const [at, other] of others.entries()) {
        await sendTo("ab"[at]!);
        await other.next("publish");
      }
      await uplink.retain("hw/1/t/task", Uint8Array.of(sentToStalled % 250, 1));
      for (const other of others) await other.next("publish");
    }
    expect(sentToStalled * BLOCK.length).toBeGreaterThan(4 * MB);
    expect(lab.counters.get("broker.stalled")).toBe(1);
    for (const other of others) other.destroy();
  });

  test("does not let it hold up what it sends itself", async () => {
    const { uplink, received } = lab.serve();
    const stalled = await subscriber("stalled");
    stalled.stopReading();
    await uplink.send(device("stalled"), "hw/1/t/down/stalled/block", BLOCK);
    stalled.publish("hw/1/t/up/stalled/hello", BLOCK).catch(() => undefined);
    await until(() => received.length === 1);
    stalled.destroy();
  });

  test("cuts off a device that takes longer than the drain timeout over a little", async () => {
    await lab.broker.close();
    lab = await startBrokerLab({ drainTimeoutMs: 50, unsentBytes: 64 * MB });
    const { uplink } = lab.serve();
    const stalled = await subscriber("stalled");
    stalled.stopReading();
    for (let i = 0; i < 200; i++) await uplink.send(device("stalled"), "hw/1/t/down/stalled/block", BLOCK);
    await until(() => lab.broker.connections === 0);
    expect(lab.counters.get("broker.stalled")).toBe(1);
  });

  async function subscriber(name: string): Promise<RawMqtt> {
    const client = await RawMqtt.connect(lab.tcp, name);
    await client.subscribe(`hw/1/t/down/${name}/+`, "hw/1/t/task");
    return client;
  }
});

describe("the telemetry broker", () => {
  let broker: Awaited<ReturnType<typeof startTelemetryBroker>>;
  const clients: RawMqtt[] = [];
  beforeEach(async () => {
    broker = await startTelemetryBroker({ logger: silentLogger });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await broker.close();
  });

  async function connect(name: string): Promise<RawMqtt> {
    const client = await RawMqtt.connect(broker.url, name);
    clients.push(client);
    return client;
  }

  test("delivers everything to everyone who has subscribed to it, wildcards included", async () => {
    const [all, one, sensor] = [await connect("all"), await connect("one"), await connect("sensor")];
    await all.subscribe("#");
    await one.subscribe("plant/+/temperature");
    await sensor.publish("plant/7/temperature", "21.5");
    await sensor.publish("plant/7/pressure", "3");
    await sensor.publish("plant/8/temperature", "22");
    expect([await topicOf(all), await topicOf(all), await topicOf(all)]).toEqual([
      ...["plant/7/temperature", "plant/7/pressure", "plant/8/temperature"],
    ]);
    expect([await topicOf(one), await topicOf(one)]).toEqual(["plant/7/temperature", "plant/8/temperature"]);
  });

  test("takes clients without a name or credentials, any number of them", async () => {
    const nameless = { clientId: "", username: undefined, password: undefined } as object;
    const one = await RawMqtt.connect(broker.url, "", nameless);
    const two = await RawMqtt.connect(broker.url, "", nameless);
    clients.push(one, two);
    await one.subscribe("a");
    await two.publish("a", "1");
    expect(await topicOf(one)).toBe("a");
  });

  test("loses nothing and keeps the order when qualities of service mix", async () => {
    const [subscriber, sensor] = [await connect("subscriber"), await connect("sensor")];
    await subscriber.subscribe("#");
    const sent = Array.from({ length: 500 }, (_, i) => i);
    await Promise.all(sent.map((i) => sensor.publish("a", String(i), { qos: i % 2 === 0 ? 1 : 0 })));
    await subscriber.until(() => subscriber.packets.length === sent.length);
    expect(subscriber.packets.map((packet) => "payload" in packet && Number(packet.payload))).toEqual(sent);
  });

  test("keeps a retained message for later subscribers, on a bounded number of topics", async () => {
    const sensor = await connect("sensor");
    for (let i = 0; i < 1_001; i++) await sensor.publish(`state/${i}`, "on", { retain: true });
    await sensor.publish("state/0", "", { retain: true });
    await sensor.publish("state/later", "on", { retain: true });
    const late = await connect("late");
    await late.subscribe("#");
    await late.until(() => late.packets.length === 1_000);
    const topics = late.packets.map((packet) => ("topic" in packet ? packet.topic : ""));
    expect(topics).not.toContain("state/0");
    expect(topics).not.toContain("state/1000");
    expect(topics).toContain("state/later");
  });

  test("slows a publisher down for a subscriber that reads slowly, and loses nothing", async () => {
    const [slow, sensor] = [await connect("slow"), await connect("sensor")];
    await slow.subscribe("#");
    slow.stopReading();
    const count = 200;
    let acknowledged = 0;
    const sent = Promise.all(
      Array.from({ length: count }, () => sensor.publish("a", BLOCK).then(() => acknowledged++)),
    );
    await until(() => acknowledged > 0);
    slow.resumeReading();
    await sent;
    await slow.until(() => slow.packets.length === count);
  });

  test("cuts off a subscriber that has stopped reading, and the rest goes on", async () => {
    const [stalled, well, sensor] = [
      await connect("stalled"),
      await connect("well"),
      await connect("sensor"),
    ];
    await stalled.subscribe("#");
    await well.subscribe("#");
    stalled.stopReading();
    const count = 300;
    await Promise.all(Array.from({ length: count }, () => sensor.publish("a", BLOCK)));
    await well.until(() => well.packets.length === count);
  });

  test.each(["$SYS/#", "$share/g/a", "a/#/b"])("refuses a subscription to %s", async (filter) => {
    const client = await connect("client");
    await expect(client.subscribe(filter)).rejects.toThrow();
  });
});

async function topicOf(client: RawMqtt): Promise<string> {
  return (await client.next("publish")).topic;
}
