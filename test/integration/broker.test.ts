// The embedded broker and clients that do wrong things, on real sockets.

import { connect as connectTcp } from "node:net";
import fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { startBroker } from "../../server/broker/broker.js";
import type { BrokerLimits } from "../../server/broker/limits.js";
import { systemClock } from "../../shared/clock.js";
import { silentLogger } from "../../shared/log.js";
import { type BrokerLab, device, startBrokerLab } from "../support/broker-lab.js";
import { connectPacket, RawMqtt } from "../support/raw-mqtt.js";
import { createGate, settled } from "../support/transport-ends.js";
import { until } from "../support/until.js";

let lab: BrokerLab;
const clients: RawMqtt[] = [];

beforeEach(async () => {
  lab = await startBrokerLab();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await lab.broker.close();
});

/** The same broker with tighter bounds. */
async function restrict(limits: Partial<BrokerLimits>): Promise<void> {
  await lab.broker.close();
  lab = await startBrokerLab(limits);
}

async function open(url = lab.tcp): Promise<RawMqtt> {
  const client = await RawMqtt.open(url);
  clients.push(client);
  return client;
}

async function connect(name = "pump", url = lab.tcp): Promise<RawMqtt> {
  const client = await RawMqtt.connect(url, name);
  clients.push(client);
  return client;
}

const count = (reason: string) => lab.counters.get(`broker.${reason}`);
const up = (name: string, kind = "hello") => `hw/1/t/up/${name}/${kind}`;
const PAYLOAD = Uint8Array.of(1, 2, 3);

describe.each(["tcp", "ws"] as const)("over %s", (kind) => {
  test("a device with its secret connects, publishes, subscribes and is sent to", async () => {
    const { uplink, received } = lab.serve();
    const pump = await connect("pump", lab[kind]);
    expect(lab.broker.connections).toBe(1);
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
    const { uplink, received } = lab.serve();
    const large = new Uint8Array(160 * 1024).map((_, at) => at % 251);
    const pump = await connect("pump", lab[kind]);
    await pump.subscribe("hw/1/t/down/pump/+");
    await pump.publish(up("pump", "chunk"), large);
    expect(Buffer.from(received[0]!.payload).equals(large)).toBe(true);
    await uplink.send(device("pump"), "hw/1/t/down/pump/block", large);
    const { payload } = await pump.next("publish");
    expect(Buffer.from(payload as Buffer).equals(large)).toBe(true);
  });

  test("200 MB announced before authentication are refused at the header, not buffered", async () => {
    const client = await open(lab[kind]);
    client.write(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x60]));
    client.write(Buffer.alloc(64 * 1024));
    await client.closed();
    expect(count("packet-too-large")).toBe(1);
    expect(lab.broker.traffic.up).toBeLessThan(256 * 1024);
  });

  test("a socket that says nothing is cut off in time", async () => {
    await restrict({ connectTimeoutMs: 50 });
    await (await open(lab[kind])).closed();
    expect(count("connect-timeout")).toBe(1);
  });

  test("traffic counts the bytes on the sockets, closed ones included", async () => {
    lab.serve();
    const pump = await connect("pump", lab[kind]);
    await pump.publish(up("pump", "chunk"), new Uint8Array(10_000));
    await pump.disconnect();
    await until(() => lab.broker.connections === 0);
    const { up: sent, down } = lab.broker.traffic;
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
    expect(lab.broker.connections).toBe(0);
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
    expect(lab.warnings.filter(({ reason }) => reason === "session-not-kept")).toHaveLength(1);
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
    const { received } = lab.serve();
    const client = await open();
    client.send(packet as Parameters<RawMqtt["send"]>[0]);
    await client.closed();
    expect(count("not-connect")).toBe(1);
    expect(received).toEqual([]);
  });

  test("may be followed by packets at once: they wait until it is accepted", async () => {
    const { received } = lab.serve();
    const client = await open();
    client.send(connectPacket("pump"));
    await Promise.all(Array.from({ length: 100 }, (_, i) => client.publish(up("pump"), Uint8Array.of(i))));
    expect(received.map(({ payload }) => payload[0])).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test("that is refused lets nothing behind it in", async () => {
    const { received } = lab.serve();
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
    const { uplink } = lab.serve();
    const first = await connect();
    const second = await connect();
    await first.closed();
    expect(count("taken-over")).toBe(1);
    expect(lab.broker.connections).toBe(1);
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
    await until(() => lab.broker.connections === 1);
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
    const { received } = lab.serve();
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
    const { received } = lab.serve();
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
    const { received } = lab.serve();
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
        const pump = await RawMqtt.connect(lab.tcp, "pump");
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
    expect(lab.warnings.filter(({ client }) => client === "pump")).toMatchObject([
      { client: "pump", reason: "forbidden-topic", detail: "pump published chat" },
    ]);
  });

  test("that asks for no acknowledgement gets none, and is heard", async () => {
    const { received } = lab.serve();
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
    const { uplink } = lab.serve();
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
    lab.broker.disconnect(device("pump"));
    lab.broker.disconnect(device("nobody"));
    await pump.closed();
  });
});

describe("the uplink", () => {
  test("acknowledges a message when its handler is done", async () => {
    const gate = createGate();
    const { received } = lab.serve(() => gate.opened);
    const pump = await connect();
    const isDone = settled(pump.publish(up("pump"), PAYLOAD));
    await until(() => received.length === 1);
    // The answer to a ping overtakes no acknowledgement that has been written.
    pump.send({ cmd: "pingreq" });
    await pump.next("pingresp");
    expect(isDone()).toBe(false);
    gate.open();
    await until(isDone);
  });

  test("of nobody: the message is not acknowledged and its sender is cut off, until somebody serves", async () => {
    const attempt = async () => {
      const pump = await connect();
      return pump.publish(up("pump"), PAYLOAD);
    };
    await expect(attempt()).rejects.toThrow("without puback");
    const { uplink } = lab.serve();
    await attempt();
    await uplink.close();
    await expect(attempt()).rejects.toThrow("without puback");
    expect(count("not-handled")).toBe(2);
  });

  test("that fails ends the sender's connection without acknowledgement, and no other's", async () => {
    lab.serve(({ clientId }) => (clientId === "pump" ? Promise.reject(new Error("no")) : Promise.resolve()));
    const pump = await connect();
    const drill = await connect("drill");
    await expect(pump.publish(up("pump"), PAYLOAD)).rejects.toThrow("without puback");
    await drill.publish(up("drill"), PAYLOAD);
    expect([count("not-handled"), count("malformed")]).toEqual([1, 0]);
  });

  test("of a task gets the messages of that task", async () => {
    const one = lab.serve(undefined, "one");
    const two = lab.serve(undefined, "two");
    const pump = await connect();
    await pump.publish("hw/1/two/up/pump/hello", PAYLOAD);
    await pump.publish("hw/1/one/up/pump/hello", PAYLOAD);
    expect(one.received.map(({ topic }) => topic)).toEqual(["hw/1/one/up/pump/hello"]);
    expect(two.received.map(({ topic }) => topic)).toEqual(["hw/1/two/up/pump/hello"]);
  });

  test("hears presence: what is published, and the will of a device that vanishes", async () => {
    const { received } = lab.serve();
    const pump = await open();
    await pump.greet("pump", { will: willOn("hw/1/t/presence/pump") });
    await pump.publish("hw/1/t/presence/pump", "online", { retain: true });
    pump.destroy();
    await until(() => received.length === 2);
    expect(received.map(({ payload }) => Buffer.from(payload).toString())).toEqual(["online", "w"]);
  });

  test("hears no will of a device that says goodbye", async () => {
    const { received } = lab.serve();
    const pump = await open();
    await pump.greet("pump", { will: willOn("hw/1/t/presence/pump") });
    await pump.disconnect();
    await (await connect("drill")).publish(up("drill"), PAYLOAD);
    expect(received.map(({ topic }) => topic)).toEqual([up("drill")]);
  });

  test("hears no will of a device that says goodbye while its messages are being handled", async () => {
    const gate = createGate();
    const { received } = lab.serve(() => gate.opened);
    const pump = await open();
    await pump.greet("pump", { will: willOn("hw/1/t/presence/pump") });
    for (const i of [1, 2, 3]) pump.publish(up("pump"), Uint8Array.of(i)).catch(() => undefined);
    await until(() => received.length === 1);
    await pump.disconnect();
    gate.open();
    await until(() => lab.broker.connections === 0 && received.length >= 3);
    await (await connect("drill")).publish(up("drill"), PAYLOAD);
    expect(received.map(({ topic }) => topic)).toEqual([up("pump"), up("pump"), up("pump"), up("drill")]);
  });

  test("a handler that hangs holds its sender up: what it sends on stays on its side", async () => {
    const gate = createGate();
    const { received } = lab.serve(() => gate.opened);
    const pump = await connect();
    const chunk = new Uint8Array(64 * 1024);
    const all = Promise.all(Array.from({ length: 400 }, () => pump.publish(up("pump", "chunk"), chunk)));
    await until(() => received.length === 1);
    const drill = await connect("drill");
    // Its first message is stuck too, and shows that the broker has had time to read whatever it would.
    const isOtherDone = settled(drill.publish(up("drill"), PAYLOAD));
    await until(() => received.length === 2);
    expect(lab.broker.traffic.up).toBeLessThan(2 * 1024 * 1024);
    gate.open();
    await all;
    await until(isOtherDone);
    expect(received).toHaveLength(401);
  });
});

describe("close", () => {
  test("lets a running handler end and acknowledges it", async () => {
    const gate = createGate();
    const { received } = lab.serve(() => gate.opened);
    const pump = await connect();
    const isDone = settled(pump.publish(up("pump"), PAYLOAD));
    await until(() => received.length === 1);
    const closing = lab.broker.close();
    await expect(RawMqtt.open(lab.tcp)).rejects.toThrow("ECONNREFUSED");
    gate.open();
    await closing;
    await until(isDone);
    await pump.closed();
  });

  test("waits only so long for a handler, and ends sockets that have said nothing", async () => {
    await restrict({ closeTimeoutMs: 20 });
    const { received } = lab.serve(() => new Promise<void>(() => undefined));
    const pump = await connect();
    const silent = await open();
    pump.publish(up("pump"), PAYLOAD).catch(() => undefined);
    await until(() => received.length === 1);
    await lab.broker.close();
    await pump.closed();
    await silent.closed();
    expect(count("close-timeout")).toBe(1);
  });
});

describe("listening", () => {
  test("on a taken port says which, and leaves no other listener behind", async () => {
    const port = Number(new URL(lab.tcp).port);
    const attempt = startBroker({
      listeners: [
        { kind: "ws", host: "127.0.0.1", port: 0 },
        { kind: "tcp", host: "127.0.0.1", port },
      ],
      ...{ isKnown: () => true, clock: systemClock, logger: silentLogger, counters: lab.counters },
    });
    await expect(attempt).rejects.toMatchObject({
      code: "address-unusable",
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });

  test.each([
    { kind: "tcp", host: "192.0.2.1", port: 0 },
    { kind: "ws", host: "127.0.0.1", port: 70_000 },
  ] as const)("on $host:$port is refused by name", async (address) => {
    const attempt = startBroker({
      listeners: [address],
      ...{ isKnown: () => true, clock: systemClock, logger: silentLogger, counters: lab.counters },
    });
    await expect(attempt).rejects.toMatchObject({
      code: "address-unusable",
      message: expect.stringContaining(`${address.host}:${address.port}`),
    });
  });

  test("WebSockets: without the subprotocol mqtt there is none", async () => {
    const socket = new WebSocket(lab.ws, "chat");
    const message = await new Promise<string>((resolve) =>
      socket.once("error", ({ message }) => resolve(message)),
    );
    expect(message).toContain("400");
  });

  test("WebSockets: a browser that comes for a page is told so", async () => {
    const response = await fetch(lab.ws.replace("ws:", "http:"));
    expect(response.status).toBe(426);
  });

  test("WebSockets: a message over the limit ends the connection", async () => {
    const pump = await connect("pump", lab.ws);
    pump.write(new Uint8Array(192 * 1024 + 1));
    await pump.closed();
  });

  test("WebSockets: a request that never ends is cut off", async () => {
    await restrict({ connectTimeoutMs: 100 });
    const { hostname, port } = new URL(lab.ws);
    const socket = connectTcp({ host: hostname, port: Number(port) });
    socket.write("GET / HTTP/1.1\r\nX-Slow: ");
    let isClosed = false;
    socket
      .on("error", () => undefined)
      .on("close", () => {
        isClosed = true;
      });
    await until(() => isClosed);
    expect(count("connect-timeout")).toBe(1);
  });
});

function mutate(packet: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
  const mutated = Uint8Array.from(packet);
  for (const [at, value] of changes) mutated[at % mutated.length] = value;
  return mutated;
}

function willOn(topic: string, bytes = 1) {
  return { topic, payload: Buffer.alloc(bytes, "w"), qos: 1, retain: true } as const;
}
