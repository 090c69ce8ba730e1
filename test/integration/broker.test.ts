// The embedded broker and clients that do wrong things, on real sockets.

import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { device } from "../support/broker-lab.js";
import { connectPacket, RawMqtt } from "../support/raw-mqtt.js";
import { PAYLOAD, testBroker, up, willOn } from "../support/test-broker.js";
import { until } from "../support/until.js";

const bench = testBroker();
const { restrict, open, connect, count } = bench;

describe.each(["tcp", "ws"] as const)("over %s", (kind) => {
  test("a device with its secret connects, publishes, subscribes and is sent to", async () => {
    const { uplink, received } = bench.lab.serve();
    const pump = await connect("pump", bench.lab[kind]);
    expect(bench.lab.broker.connections).toBe(1);
    await pump.publish(up("pump"), PAYLOAD);
    expect(received).toEqual([{ topic: up("pump"), payload: PAYLOAD, clientId: "pump" }]);
    expect(await pump.subscribe("hw/1/t/down/pump/+", "hw/1/t/task", "hw/1/t/release")).toEqual([1, 1, 1]);
    await uplink.send(device("pump"), "hw/1/t/down/pump/wait", PAYLOAD);
    expect(await pump.next("publish")).toMatchObject({
      topic: "hw/1/t/down/pump/wait",
      ...{ payload: Buffer.from(PAYLOAD), qos: 1, retain: false },
    });
  });

  test("a large message passes both ways in one piece", async () => {
    const { uplink, received } = bench.lab.serve();
    const large = new Uint8Array(160 * 1024).map((_, at) => at % 251);
    const pump = await connect("pump", bench.lab[kind]);
    await pump.subscribe("hw/1/t/down/pump/+");
    await pump.publish(up("pump", "chunk"), large);
    expect(Buffer.from(received[0]!.payload).equals(large)).toBe(true);
    await uplink.send(device("pump"), "hw/1/t/down/pump/block", large);
    const { payload } = await pump.next("publish");
    expect(Buffer.from(payload as Buffer).equals(large)).toBe(true);
  });

  test("200 MB announced before authentication are refused at the header, not buffered", async () => {
    const client = await open(bench.lab[kind]);
    client.write(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x60]));
    client.write(Buffer.alloc(64 * 1024));
    await client.closed();
    expect(count("packet-too-large")).toBe(1);
    expect(bench.lab.broker.traffic.up).toBeLessThan(256 * 1024);
  });

  test("a socket that says nothing is cut off in time", async () => {
    await restrict({ connectTimeoutMs: 50 });
    await (await open(bench.lab[kind])).closed();
    expect(count("connect-timeout")).toBe(1);
  });

  test("traffic counts the bytes on the sockets, closed ones included", async () => {
    bench.lab.serve();
    const pump = await connect("pump", bench.lab[kind]);
    await pump.publish(up("pump", "chunk"), new Uint8Array(10_000));
    await pump.disconnect();
    await until(() => bench.lab.broker.connections === 0);
    const { up: sent, down } = bench.lab.broker.traffic;
    expect(sent).toBeGreaterThan(10_000);
    expect(sent).toBeLessThan(11_000);
    // CONNACK and PUBACK.
    expect(down).toBeGreaterThanOrEqual(4 + 4);
  });
});

describe("CONNECT", () => {
  test.each([
    ["a wrong password", { password: Buffer.from("drill") }, 4, "bad-credentials"],
    ["no password", { password: undefined }, 4, "bad-credentials"],
    ["no user name", { username: undefined, password: undefined }, 4, "bad-credentials"],
    ["another device's client id", { clientId: "drill" }, 4, "bad-credentials"],
    ["a client id that is no device id", { clientId: "a/+", username: "a/+" }, 2, "bad-client-id"],
    ["no client id", { clientId: "" }, 2, "bad-client-id"],
    ["MQTT 3.1", { protocolId: "MQIsdp", protocolVersion: 3 }, 1, "wrong-protocol"],
    ["MQTT 5", { protocolVersion: 5 }, 1, "wrong-protocol"],
    ["no keepalive", { keepalive: 0 }, 5, "bad-keepalive"],
    ["a keepalive of an hour", { keepalive: 3_600 }, 5, "bad-keepalive"],
    ["a will on another's topic", { will: willOn("hw/1/t/presence/drill") }, 5, "forbidden-topic"],
    ["a will on the task", { will: willOn("hw/1/t/task") }, 5, "forbidden-topic"],
    ["a will of QoS 2", { will: { ...willOn("hw/1/t/presence/pump"), qos: 2 } }, 5, "qos-2"],
    ["a long will", { will: willOn("hw/1/t/presence/pump", 65) }, 5, "presence-too-long"],
  ] as const)("with %s is refused and says why", async (_, changes, returnCode, reason) => {
    const client = await open();
    expect(await client.greet("pump", changes as object)).toMatchObject({ returnCode });
    await client.closed();
    expect(count(reason)).toBe(1);
    expect(bench.lab.broker.connections).toBe(0);
  });

  test("without CleanSession is served as if it had it, and told that there was no session", async () => {
    const first = await open();
    await first.greet("pump", { clean: false });
    await first.subscribe("hw/1/t/task");
    await first.disconnect();
    const second = await open();
    expect(await second.greet("pump", { clean: false })).toMatchObject({
      returnCode: 0,
      sessionPresent: false,
    });
    expect(count("session-not-kept")).toBe(2);
    expect(bench.lab.warnings.filter(({ reason }) => reason === "session-not-kept")).toHaveLength(1);
  });

  test("twice on one socket ends it", async () => {
    const pump = await connect();
    pump.send(connectPacket("pump"));
    await pump.closed();
    expect(count("malformed")).toBe(1);
  });

  test.each([
    ["PUBLISH", { cmd: "publish", topic: up("pump"), payload: "x", qos: 0, dup: false, retain: false }],
    ["SUBSCRIBE", { cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "hw/1/t/task", qos: 1 }] }],
    ["PINGREQ", { cmd: "pingreq" }],
  ] as const)("must come before %s", async (_, packet) => {
    const { received } = bench.lab.serve();
    const client = await open();
    client.send(packet as Parameters<RawMqtt["send"]>[0]);
    await client.closed();
    expect(count("not-connect")).toBe(1);
    expect(received).toEqual([]);
  });

  test("may be followed by packets at once: they wait until it is accepted", async () => {
    const { received } = bench.lab.serve();
    const client = await open();
    client.send(connectPacket("pump"));
    await Promise.all(Array.from({ length: 100 }, (_, i) => client.publish(up("pump"), Uint8Array.of(i))));
    expect(received.map(({ payload }) => payload[0])).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test("that is refused lets nothing behind it in", async () => {
    const { received } = bench.lab.serve();
    const client = await open();
    client.send(connectPacket("pump", { password: Buffer.from("wrong") }));
    client.publish(up("pump"), PAYLOAD).catch(() => undefined);
    await client.closed();
    expect(received).toEqual([]);
  });

  test("byte by byte, each in good time, is still cut off", async () => {
    await restrict({ connectTimeoutMs: 200 });
    const client = await open();
    const bytes = Buffer.from([0x10, 0x7f, 0, 4, 0x4d]);
    for (const byte of bytes) client.write(Uint8Array.of(byte));
    await client.closed();
    expect(count("connect-timeout")).toBe(1);
  });

  test("by a second client of the same id takes over, and only the second is served", async () => {
    const { uplink } = bench.lab.serve();
    const first = await connect();
    const second = await connect();
    await first.closed();
    expect(count("taken-over")).toBe(1);
    expect(bench.lab.broker.connections).toBe(1);
    await second.subscribe("hw/1/t/down/pump/+");
    await uplink.send(device("pump"), "hw/1/t/down/pump/wait", PAYLOAD);
    await second.next("publish");
  });

  test("beyond the most connections is turned away, and counted", async () => {
    await restrict({ connections: 2 });
    const first = await connect("a");
    await connect("b");
    await (await open()).closed();
    expect(count("too-many-connections")).toBe(1);
    first.destroy();
    await until(() => bench.lab.broker.connections === 1);
    await connect("c");
  });
});

describe("a connected device", () => {
  const announce = (bytes: number) =>
    Buffer.from([0x32, (bytes & 0x7f) | 0x80, ((bytes >> 7) & 0x7f) | 0x80, bytes >> 14]);

  test.each([
    ["announces a packet over the limit", announce(192 * 1024), "packet-too-large"],
    ["writes a length of five bytes", Buffer.from([0x32, 0x80, 0x80, 0x80, 0x80, 1]), "malformed-length"],
    ["sends a packet of no known type", Buffer.from([0xf0, 0]), "malformed"],
    ["sends what only a broker may", Buffer.from([0x20, 2, 0, 0]), undefined],
    ["sends a topic longer than its packet", Buffer.from([0x32, 4, 0, 40, 0x68, 0x77]), "malformed"],
    ["sends flags that are reserved", Buffer.from([0x80, 2, 0, 1]), "malformed"],
  ])("that %s is cut off", async (_, bytes, reason) => {
    const { received } = bench.lab.serve();
    const pump = await connect();
    pump.write(bytes);
    await pump.closed();
    if (reason !== undefined) expect(count(reason)).toBe(1);
    expect(received).toEqual([]);
  });

  test.each([
    ["another device's messages", up("drill"), {}, "forbidden-topic"],
    ["another device's presence", "hw/1/t/presence/drill", {}, "forbidden-topic"],
    ["what the server says to it", "hw/1/t/down/pump/offer", {}, "forbidden-topic"],
    ["what the server says to another", "hw/1/t/down/drill/offer", {}, "forbidden-topic"],
    ["the task", "hw/1/t/task", { retain: true }, "forbidden-topic"],
    ["the version to serve", "hw/1/t/release", {}, "forbidden-topic"],
    ["a message of no kind", up("pump", "gossip"), {}, "forbidden-topic"],
    ["another protocol version", "hw/2/t/up/pump/hello", {}, "forbidden-topic"],
    ["the broker's own topics", "$SYS/x/new/clients", {}, "forbidden-topic"],
    ["anything else", "chat", {}, "forbidden-topic"],
    ["a retained message", up("pump"), { retain: true }, "forbidden-retain"],
    ["a retained clearing", up("pump"), { retain: true, payload: "" }, "forbidden-retain"],
    ["with QoS 2", up("pump"), { qos: 2 }, "qos-2"],
  ] as const)("that publishes %s is cut off", async (_, topic, changes, reason) => {
    const { received } = bench.lab.serve();
    const pump = await connect();
    const drill = await connect("drill");
    await drill.subscribe("hw/1/t/down/drill/+", "hw/1/t/task", "hw/1/t/release");
    pump.publish(topic, PAYLOAD, changes).catch(() => undefined);
    await pump.closed();
    expect(count(reason)).toBe(1);
    expect(pump.packets).toEqual([]);
    await drill.publish(up("drill"), PAYLOAD);
    expect(drill.packets).toEqual([]);
    expect(received).toHaveLength(1);
  });

  test.each([
    "hw/1/t/down/drill/+",
    "hw/1/t/down/+/+",
    "hw/1/t/down/pump/#",
    "hw/1/t/down/pump/offer",
    "hw/1/t/down/#",
    "hw/1/+/task",
    "hw/1/t/up/pump/+",
    "hw/1/t/presence/drill",
    "hw/1/t/presence/+",
    "hw/1/t/+",
    "#",
    "+/+/+/+",
    "$SYS/#",
    "$share/g/hw/1/t/task",
    "hw/1/t/task/",
  ])("that subscribes %s is cut off", async (filter) => {
    const pump = await connect();
    await expect(pump.subscribe("hw/1/t/task", filter)).rejects.toThrow();
    await pump.closed();
    expect(count("forbidden-subscription")).toBe(1);
  });

  test("that sends anything at all harms nobody else", async () => {
    const { received } = bench.lab.serve();
    const drill = await connect("drill");
    const packets = [
      { cmd: "publish", topic: up("pump"), payload: "x", qos: 1, messageId: 1, dup: false, retain: false },
      { cmd: "subscribe", messageId: 2, subscriptions: [{ topic: "hw/1/t/task", qos: 1 }] },
      { cmd: "unsubscribe", messageId: 3, unsubscriptions: ["hw/1/t/task"] },
      { cmd: "pubrel", messageId: 4 },
    ] as const;
    const valid = packets.map((packet) => generate(packet as Packet));
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.tuple(fc.constantFrom(...valid), flips).map(([packet, changes]) => mutate(packet, changes)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 5 }), async (parts) => {
        const pump = await RawMqtt.connect(bench.lab.tcp, "pump");
        for (const part of parts) pump.write(part);
        const before = received.length;
        await drill.publish(up("drill"), PAYLOAD);
        expect(received.slice(before).some(({ clientId }) => clientId === "drill")).toBe(true);
        pump.destroy();
      }),
      { numRuns: 300 },
    );
    expect(received.every(({ clientId, topic }) => topic.split("/")[4] === clientId)).toBe(true);
  });

  test("may subscribe to its own topics of any task", async () => {
    const pump = await connect();
    expect(await pump.subscribe("hw/1/other/task", "hw/1/other/down/pump/+")).toEqual([1, 1]);
  });

  test("that is cut off again and again is counted each time and logged once", async () => {
    for (let i = 0; i < 3; i++) {
      const pump = await connect();
      pump.publish("chat", PAYLOAD).catch(() => undefined);
      await pump.closed();
    }
    expect(count("forbidden-topic")).toBe(3);
    expect(bench.lab.warnings.filter(({ client }) => client === "pump")).toMatchObject([
      { client: "pump", reason: "forbidden-topic", detail: "pump published chat" },
    ]);
  });

  test("that asks for no acknowledgement gets none, and is heard", async () => {
    const { received } = bench.lab.serve();
    const pump = await connect();
    await pump.publish(up("pump"), PAYLOAD, { qos: 0 });
    await pump.publish(up("pump"), Uint8Array.of(9));
    expect(received.map(({ payload }) => payload[0])).toEqual([1, 9]);
    expect(pump.packets).toEqual([]);
  });

  test("that keeps silent for one and a half keepalives is cut off", async () => {
    const pump = await open();
    await pump.greet("pump", { keepalive: 1 });
    await pump.closed();
    expect(count("keepalive-timeout")).toBe(1);
  });

  test("hears nothing on topics it has unsubscribed", async () => {
    const { uplink } = bench.lab.serve();
    const pump = await connect();
    await pump.subscribe("hw/1/t/task", "hw/1/t/release");
    pump.send({ cmd: "unsubscribe", messageId: 7, unsubscriptions: ["hw/1/t/task"] });
    await pump.next("unsuback");
    await uplink.retain("hw/1/t/task", PAYLOAD);
    await uplink.retain("hw/1/t/release", PAYLOAD);
    expect(await pump.next("publish")).toMatchObject({ topic: "hw/1/t/release" });
  });

  test("is cut off on request", async () => {
    const pump = await connect();
    bench.lab.broker.disconnect(device("pump"));
    bench.lab.broker.disconnect(device("nobody"));
    await pump.closed();
  });
});

function mutate(packet: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
  const mutated = Uint8Array.from(packet);
  for (const [at, value] of changes) mutated[at % mutated.length] = value;
  return mutated;
}
