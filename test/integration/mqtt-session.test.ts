// What a session does when a broker misbehaves. Scripted brokers for what a real one never does.

import { createRequire } from "node:module";
import { generate, type Packet } from "mqtt-packet";
import { afterEach, describe, expect, test } from "vitest";
import { politeScript, type Script, startScriptedBroker } from "../support/scripted-broker.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { openSession, type TestSession } from "../support/test-session.js";
import { outcomeOf } from "../support/transport-ends.js";
import { until } from "../support/until.js";

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const part of opened.splice(0).reverse()) await part.close();
});

async function broker(script: Script) {
  const started = await startScriptedBroker(script);
  opened.push(started);
  return started;
}

function open(url: string, options: Partial<Parameters<typeof openSession>[1]> = {}): TestSession {
  const opened_ = openSession("pump", { endpoint: { url }, ...options });
  opened.push(opened_.session);
  return opened_;
}

const payload = Buffer.alloc(1000);

function publish(topic: string, bytes: number, messageId = 7): Buffer {
  const message = { cmd: "publish", topic, payload: Buffer.alloc(bytes), qos: 1, messageId } as const;
  return generate({ ...message, dup: false, retain: false });
}

/** As polite as can be, but for some packets. */
function except(cmd: Packet["cmd"], answer: Script): Script {
  return (packet, reply) => (packet.cmd === cmd ? answer : politeScript)(packet, reply);
}

describe("a session", () => {
  test("is connected only when its subscriptions are granted", async () => {
    const { url } = await broker(
      except("subscribe", ({ messageId }, answer) =>
        answer({ cmd: "suback", messageId: messageId!, granted: [1, 128] }),
      ),
    );
    const { log, session } = open(url, { subscriptions: ["a/+", "b"] });
    await until(() => log.length > 0);
    expect(log[0]?.fields.reason).toBe("subscription refused: a/+, b");
    expect(session.isConnected).toBe(false);
  });

  test("keeps no table of the numbers that packets may hold, which is 8 MB", async () => {
    const { url } = await broker(politeScript);
    const { session } = open(url);
    await until(() => session.isConnected);
    await session.publish("t", payload);
    // The instance of mqtt-packet that mqtt.js itself writes with.
    const ofMqtt = createRequire(createRequire(import.meta.url).resolve("mqtt"));
    expect(ofMqtt("mqtt-packet").writeToStream.cacheNumbers).toBe(false);
    expect(ofMqtt("mqtt-packet/numbers").cache).toEqual({});
  });

  test("that is refused says so as an error, and is in no hurry to ask again", async () => {
    const { url } = await broker(
      except("connect", (_, answer) => answer({ cmd: "connack", returnCode: 5, sessionPresent: false })),
    );
    const { log } = open(url);
    await until(() => log.length > 0);
    expect(log[0]).toMatchObject({ level: "error", message: expect.stringContaining("refuses") });
    expect(log[0]?.fields.retryMs).toBeGreaterThanOrEqual(15_000);
    expect(String(log[0]?.fields.reason)).toMatch(/Not authorized/);
  });

  test("announces itself as the protocol wants: 3.1.1, clean, its name, its will", async () => {
    const { url, packets } = await broker(politeScript);
    const will = { topic: "t/w", payload: Buffer.from("gone"), retain: true };
    await until(() => packets.length > 0 || open(url, { will, keepaliveMs: 5_000 }) === undefined);
    expect(packets[0]).toMatchObject({
      ...{ cmd: "connect", protocolVersion: 4, clean: true, clientId: "pump", keepalive: 5 },
      will: { topic: "t/w", qos: 1, retain: true },
    });
  });

  test("gives a publish up whose acknowledgement does not come, and takes no notice when it comes late", async () => {
    const late: (() => void)[] = [];
    const { url, packets } = await broker(
      except(
        "publish",
        ({ messageId }, answer) => void late.push(() => answer({ cmd: "puback", messageId: messageId! })),
      ),
    );
    const { session } = open(url, { ackTimeoutMs: 100 });
    await until(() => session.isConnected);
    const outcome = outcomeOf(session.publish("t", payload));
    await until(() => outcome.isSettled);
    expect(outcome.error).toMatchObject({ code: "transport-timeout" });
    for (const acknowledge of late.splice(0)) acknowledge();
    const next = outcomeOf(session.publish("t", payload));
    await until(() => packets.filter(({ cmd }) => cmd === "publish").length === 2);
    for (const acknowledge of late) acknowledge();
    await until(() => next.isSettled);
    expect(next.error).toBeUndefined();
  });

  test("cuts off a broker that announces a packet beyond all reason, and comes back", async () => {
    let isFirst = true;
    const { url } = await broker((packet, answer) => {
      politeScript(packet, answer);
      if (packet.cmd !== "subscribe" || !isFirst) return;
      isFirst = false;
      // Its header is enough.
      answer(publish("a", 2_000_000).subarray(0, 100));
    });
    const { session, log, messages } = open(url, { subscriptions: ["a"] });
    await until(() => log.length > 0);
    expect(log[0]?.fields.reason).toMatch(/a packet of 2000005 bytes, the limit is 1048576/);
    await until(() => session.isConnected);
    expect(messages).toEqual([]);
  });

  test("cuts off a broker that talks nonsense, and comes back", async () => {
    let isFirst = true;
    const { url } = await broker((packet, answer) => {
      politeScript(packet, answer);
      // Reserved flags of a PINGRESP (2.2.2-2).
      if (isFirst && packet.cmd === "subscribe") answer(Buffer.from([0xdf, 0]));
      if (packet.cmd === "subscribe") isFirst = false;
    });
    const record = open(url, { subscriptions: ["a"] });
    await until(() => record.log.length > 0);
    await until(() => record.session.isConnected);
    expect(record.connects).toBeGreaterThanOrEqual(1);
  });

  test("acknowledges a message when its handler is done, and takes the next one then", async () => {
    const { url, packets } = await broker((packet, answer) => {
      politeScript(packet, answer);
      if (packet.cmd !== "subscribe") return;
      answer(publish("a", 10));
      answer(publish("a", 10));
    });
    let finish = () => {};
    let calls = 0;
    open(url, {
      subscriptions: ["a"],
      onMessage: () => {
        calls++;
        return new Promise<void>((resolve) => {
          finish = resolve;
        });
      },
    });
    const acknowledged = () => packets.filter(({ cmd }) => cmd === "puback").length;
    await until(() => calls === 1);
    expect(acknowledged()).toBe(0);
    finish();
    await until(() => calls === 2);
    await until(() => acknowledged() === 1);
  });

  describe("that may have several messages in hand", () => {
    /** A session with three messages and then a ping's answer on their way to it; `finish` handles one of them. */
    async function holding(receive: { readonly messages: number; readonly bytes: number }) {
      const { url, packets } = await broker((packet, answer) => {
        politeScript(packet, answer);
        if (packet.cmd === "subscribe") for (const id of [1, 2, 3]) answer(publish("a", 10, id));
      });
      const finish: (() => void)[] = [];
      const onMessage = () => new Promise<void>((resolve) => void finish.push(resolve));
      open(url, { subscriptions: ["a"], receive, onMessage });
      const acknowledged = () =>
        packets.flatMap((packet) => (packet.cmd === "puback" ? [packet.messageId] : []));
      return { finish, acknowledged };
    }

    test("acknowledges them in the order they came in, whichever was handled first", async () => {
      const { finish, acknowledged } = await holding({ messages: 10, bytes: 1000 });
      await until(() => finish.length === 3);
      finish[2]!();
      finish[1]!();
      finish[0]!();
      await until(() => acknowledged().length === 3);
      expect(acknowledged()).toEqual([1, 2, 3]);
    });

    test.each([
      ["messages", { messages: 2, bytes: 1000 }],
      ["bytes", { messages: 10, bytes: 20 }],
    ])("reads nothing more when it holds as many %s as it may", async (_, receive) => {
      const { finish, acknowledged } = await holding(receive);
      await until(() => finish.length === 2);
      finish[1]!();
      expect(acknowledged()).toEqual([]);
      expect(finish).toHaveLength(2);
      finish[0]!();
      await until(() => finish.length === 3);
      finish[2]!();
      await until(() => acknowledged().length === 3);
    });
  });

  test("that is persistent asks the broker to keep it, and ends subscriptions it no longer wants", async () => {
    const { url, packets } = await broker((packet, answer) => {
      politeScript(packet, answer);
      if (packet.cmd === "unsubscribe")
        answer({ cmd: "unsuback", messageId: packet.messageId!, granted: [] });
    });
    const { session } = open(url, { subscriptions: ["a", "b/+"], isPersistent: true });
    await session.unsubscribe(["a"]);
    await until(() => session.isConnected);
    expect(packets[0]).toMatchObject({ cmd: "connect", clean: false });
    expect(packets.some(({ cmd }) => cmd === "unsubscribe")).toBe(false);
    await session.unsubscribe(["a"]);
    expect(packets.at(-1)).toMatchObject({ cmd: "unsubscribe", unsubscriptions: ["a"] });
  });

  test("never waits for more acknowledgements than its window, and rejects all when the connection goes", async () => {
    const { url, packets } = await broker(except("publish", () => undefined));
    const proxy = await startTcpProxy({ target: { port: Number(new URL(url).port) } });
    opened.push(proxy);
    const { session } = open(`mqtt://127.0.0.1:${proxy.port}`);
    await until(() => session.isConnected);
    const { windowMessages } = session.pace;
    const outcomes = Array.from({ length: 200 }, () => outcomeOf(session.publish("t", Buffer.alloc(10))));
    const arrived = () => packets.filter(({ cmd }) => cmd === "publish").length;
    await until(() => arrived() === windowMessages);
    proxy.cut("pump");
    await until(() => outcomes.every(({ isSettled }) => isSettled));
    for (const { error } of outcomes) expect(error).toMatchObject({ code: "transport-closed" });
    await until(() => session.isConnected);
    // Nothing of the old connection is sent on the new one.
    await session.close();
    expect(arrived()).toBe(windowMessages);
  });

  test("gives a silent broker up after the keepalive, and comes back when it talks again", async () => {
    const { url } = await broker(politeScript);
    const proxy = await startTcpProxy({ target: { port: Number(new URL(url).port) } });
    opened.push(proxy);
    const record = open(`mqtt://127.0.0.1:${proxy.port}`, { keepaliveMs: 1_000 });
    await until(() => record.connects === 1);
    proxy.pause();
    await until(() => record.disconnects === 1);
    expect(record.log[0]?.fields.reason).toBe("Keepalive timeout");
    proxy.resume();
    await until(() => record.connects === 2);
  });

  test("that is closed says goodbye even when acknowledgements are missing, and stays away", async () => {
    const { url, packets } = await broker(except("publish", () => undefined));
    const record = open(url);
    await until(() => record.session.isConnected);
    const outcome = outcomeOf(record.session.publish("t", payload));
    await until(() => packets.some(({ cmd }) => cmd === "publish"));
    await record.session.close();
    expect(outcome.error).toMatchObject({ code: "transport-closed" });
    expect(packets.at(-1)?.cmd).toBe("disconnect");
    expect([record.connects, record.disconnects]).toEqual([1, 0]);
  });

  test("that is closed before it ever connected lets go at once", async () => {
    const { url } = await broker(() => undefined);
    const record = open(url);
    await record.session.close();
    expect(record.connects).toBe(0);
  });
});
