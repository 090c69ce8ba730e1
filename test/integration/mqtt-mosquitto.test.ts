// Link and uplink over a real broker that crashes, comes back, asks for credentials, or carries what is too much.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../shared/clock.js";
import { Counters } from "../../shared/counters.js";
import { silentLogger } from "../../shared/log.js";
import { randomStream } from "../../shared/random.js";
import { createMqttLink } from "../../shared/transport/mqtt-link.js";
import type { MqttEndpoint } from "../../shared/transport/mqtt-session.js";
import { createMqttUplink, type MqttUplinkOptions } from "../../shared/transport/mqtt-uplink.js";
import type { UplinkMessage } from "../../shared/transport/port.js";
import { taskId } from "../support/device-kit.js";
import { freePort } from "../support/free-port.js";
import { hasMosquitto, type MosquittoOptions, startMosquitto, withMosquitto } from "../support/mosquitto.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { tempFolder } from "../support/temp-folder.js";
import { openSession } from "../support/test-session.js";
import {
  bytes,
  connectClient,
  createGate,
  outcomeOf,
  settled,
  type TestClient,
} from "../support/transport-ends.js";
import { until } from "../support/until.js";

const folder = tempFolder();
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
});

function keep<Part extends { close(): Promise<void> }>(part: Part): Part {
  opened.push(part);
  return part;
}

async function broker(options?: MosquittoOptions) {
  return keep(await startMosquitto(options));
}

function serve(
  url: string,
  handle = async (_: UplinkMessage) => {},
  options: Partial<MqttUplinkOptions> = {},
) {
  const received: UplinkMessage[] = [];
  const counters = new Counters();
  const uplink = createMqttUplink({
    endpoint: { url },
    task: taskId("t"),
    clock: systemClock,
    random: randomStream("test", "uplink"),
    logger: silentLogger,
    counters,
    ...options,
  });
  keep(uplink).open((message) => {
    received.push(message);
    return handle(message);
  });
  return { uplink, received, counters };
}

/** A connected device of this name, subscribed to the task too. */
async function device(name: string, endpoint: MqttEndpoint, keepaliveMs = 60_000): Promise<TestClient> {
  const link = keep(
    createMqttLink({
      ...{ endpoint, keepaliveMs },
      clock: systemClock,
      random: randomStream("test", "link", name),
      logger: silentLogger,
    }),
  );
  const subscriptions = [`hw/1/t/down/${name}/+`, "hw/1/t/task"];
  return connectClient({ link: () => link, until }, name, { subscriptions });
}

describe.skipIf(!hasMosquitto)(withMosquitto("over Mosquitto"), () => {
  test("link and uplink survive its crash: both come back, and the task is there again", async () => {
    const mosquitto = await broker();
    const { uplink, received } = serve(mosquitto.url);
    await uplink.retain("hw/1/t/task", bytes(1));
    await uplink.retain("hw/1/t/release", bytes(2));
    await until(() => uplink.isConnected);
    const pump = await device("pump", mosquitto);
    await until(() => pump.messages.length === 1);
    await mosquitto.kill();
    await until(() => pump.disconnects === 1 && !uplink.isConnected);
    await expect(uplink.send(pump.clientId, "hw/1/t/down/pump/wait", bytes(1))).rejects.toMatchObject({
      code: "transport-closed",
    });
    // What is retained while there is no broker is for the next one.
    await uplink.retain("hw/1/t/task", bytes(3));
    await mosquitto.restart();
    await until(() => pump.connects === 2 && uplink.isConnected);
    await until(() => pump.messages.some(({ payload }) => payload[0] === 3));
    await until(settled(pump.link.publish("hw/1/t/up/pump/hello", bytes(4))));
    await until(() => received.some(({ payload }) => payload[0] === 4));
  });

  test("a publish under way when it vanishes rejects as transport-closed", async () => {
    const mosquitto = await broker();
    const proxy = keep(await startTcpProxy({ target: mosquitto }));
    const pump = await device("pump", { url: `mqtt://127.0.0.1:${proxy.port}` });
    // Halfway through the first chunk.
    const passed = proxy.traffic.up;
    proxy.throttle(64 * 1024);
    const outcomes = [0, 1, 2].map(() =>
      outcomeOf(pump.link.publish("hw/1/t/up/pump/chunk", new Uint8Array(65_536))),
    );
    await until(() => proxy.traffic.up > passed + 16_384);
    await mosquitto.kill();
    await until(() => outcomes.every(({ isSettled }) => isSettled));
    for (const { error } of outcomes) expect(error).toMatchObject({ code: "transport-closed" });
    await until(() => pump.disconnects === 1);
  });

  test("a message too large for any client costs its receiver the connection, not its memory", async () => {
    const mosquitto = await broker();
    const pump = await device("pump", mosquitto);
    const foreign = keep(openSession("foreign", { endpoint: mosquitto }).session);
    await until(() => foreign.isConnected);
    await until(settled(foreign.publish("hw/1/t/down/pump/offer", new Uint8Array(2_000_000))));
    await until(() => pump.disconnects === 1 && pump.connects === 2);
    await until(settled(foreign.publish("hw/1/t/down/pump/wait", bytes(1))));
    await until(() => pump.messages.length > 0);
    expect(pump.messages.map(({ topic }) => topic)).toEqual(["hw/1/t/down/pump/wait"]);
  });

  test("a device whose messages take for ever holds up neither others nor the connection", async () => {
    const mosquitto = await broker();
    const gate = createGate();
    const stuck = ({ topic }: UplinkMessage) => (topic.includes("/stuck/") ? gate.opened : Promise.resolve());
    const limits = { deviceMessages: 5 };
    const options = { keepaliveMs: 1_000, limits };
    const { uplink, received, counters } = serve(mosquitto.url, stuck, options);
    await until(() => uplink.isConnected);
    const slow = await device("stuck", mosquitto);
    const quick = await device("quick", mosquitto);
    for (let i = 0; i < 10; i++) await slow.link.publish("hw/1/t/up/stuck/chunk", bytes(i));
    await until(() => counters.get("uplink.flood") === 5);
    for (let i = 0; i < 100; i++) await quick.link.publish("hw/1/t/up/quick/chunk", bytes(i));
    await until(() => received.filter(({ topic }) => topic.includes("quick")).length === 100);
    expect(received.filter(({ topic }) => topic.includes("stuck"))).toHaveLength(1);
    gate.open();
  });

  test("it keeps messages for a persistent session that is away, and for no other", async () => {
    const mosquitto = await broker();
    const options = { endpoint: mosquitto, subscriptions: ["room/+"], isPersistent: true };
    const first = openSession("pump", options);
    await until(() => first.session.isConnected);
    await first.session.close();
    const sensor = keep(openSession("sensor", { endpoint: mosquitto }).session);
    await until(() => sensor.isConnected);
    for (const value of [1, 2, 3]) await sensor.publish("room/1", bytes(value));
    const second = openSession("pump", { ...options, receive: { messages: 10, bytes: 1000 } });
    keep(second.session);
    await until(() => second.messages.length === 3);
    expect(second.messages.map(({ payload }) => payload[0])).toEqual([1, 2, 3]);
    const other = openSession("other", { ...options, isPersistent: false });
    keep(other.session);
    await until(() => other.session.isConnected);
    await sensor.publish("room/1", bytes(4));
    await until(() => other.messages.length === 1 && second.messages.length === 4);
    expect(other.messages[0]?.payload[0]).toBe(4);
  });

  test("what a session holds unacknowledged when it goes comes again", async () => {
    const mosquitto = await broker();
    const options = { endpoint: mosquitto, subscriptions: ["a"], isPersistent: true };
    const gate = createGate();
    let isTaken = false;
    const onMessage = () => {
      isTaken = true;
      return gate.opened;
    };
    const first = openSession("pump", { ...options, receive: { messages: 9, bytes: 99 }, onMessage });
    await until(() => first.session.isConnected);
    const sensor = keep(openSession("sensor", { endpoint: mosquitto }).session);
    await until(() => sensor.isConnected);
    await sensor.publish("a", bytes(7));
    await until(() => isTaken);
    await first.session.close();
    gate.open();
    const second = openSession("pump", options);
    keep(second.session);
    await until(() => second.messages.length === 1);
    expect(second.messages[0]?.payload[0]).toBe(7);
  });

  test("a name and password are asked for: the right ones are let in, the wrong ones refused", async () => {
    const passwords = folder.write("passwords", "pump:secret\n");
    execFileSync("/usr/bin/mosquitto_passwd", ["-U", passwords]);
    const { url } = await broker({ config: ["allow_anonymous false", `password_file ${passwords}`] });
    await device("pump", { url, username: "pump", password: "secret" });
    const wrong = openSession("other", { endpoint: { url, username: "pump", password: "wrong" } });
    keep(wrong.session);
    await until(() => wrong.log.length > 0);
    expect(wrong.log[0]).toMatchObject({ level: "error" });
    expect(String(wrong.log[0]?.fields.reason)).toMatch(/Not authorized/);
    expect(wrong.connects).toBe(0);
  });

  test("it is reached over a WebSocket", async () => {
    const port = await freePort();
    const mosquitto = await broker({
      config: ["allow_anonymous true", `listener ${port} 127.0.0.1`, "protocol websockets"],
    });
    const { uplink, received } = serve(mosquitto.url);
    await until(() => uplink.isConnected);
    const pump = await device("pump", { url: `ws://127.0.0.1:${port}` });
    const chunk = new Uint8Array(128 * 1024).map((_, i) => i % 251);
    await until(settled(pump.link.publish("hw/1/t/up/pump/chunk", chunk)));
    await until(() => received.length === 1);
    expect(received[0]?.payload).toEqual(chunk);
  });

  test("it is reached over TLS by who trusts its certificate, and by nobody else", async () => {
    const [key, cert] = ["key.pem", "cert.pem"].map((name) => `${folder.path}/${name}`) as [string, string];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    execFileSync("openssl", ["req", ...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "pipe" });
    const port = await freePort();
    await broker({
      config: [
        ...["allow_anonymous true", `listener ${port} 127.0.0.1`],
        ...[`cafile ${cert}`, `certfile ${cert}`, `keyfile ${key}`],
      ],
    });
    const url = `mqtts://127.0.0.1:${port}`;
    const pump = await device("pump", { url, ca: readFileSync(cert, "utf8") });
    await until(settled(pump.link.publish("hw/1/t/up/pump/hello", bytes(1))));
    const stranger = openSession("stranger", { endpoint: { url } });
    keep(stranger.session);
    await until(() => stranger.log.length > 0);
    expect(String(stranger.log[0]?.fields.reason)).toMatch(/self.signed/);
    expect(stranger.connects).toBe(0);
  });
});
