// What every transport promises, whatever carries it. A transport's own test brings a harness and runs this.
// Nothing sleeps: a test waits for a condition, and shows that something does not happen by sending a later
// message (a fence) and seeing only that one arrive.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DeviceId } from "../../shared/id.js";
import type { Link, LinkOptions, Uplink, UplinkMessage, Will } from "../../shared/transport/port.js";
import {
  bytes,
  connectClient,
  createGate,
  device,
  openUplink,
  outcomeOf,
  type ServedUplink,
  settled,
  type TestClient,
} from "../support/transport-ends.js";

/** A broker with everything a test does to it. */
export interface TransportHarness {
  link(): Link;
  uplink(): Uplink;
  /** False while an uplink that was opened does not get what is published; absent: it does at once. */
  isServing?(uplink: Uplink): boolean;
  /** Lets time pass until the condition holds; throws when it does not within a sensible time. */
  until(condition: () => boolean): Promise<void>;
  /** Ends a client's connection as a network failure would. */
  cut(clientId: DeviceId): void;
  /** Longest a publish waits for its acknowledgement: lets that much time pass. */
  ackTimeout(): Promise<void>;
  close(): Promise<void>;
}

/** Where transports differ. */
export interface TransportTraits {
  /** When a device's publish is acknowledged: once the uplink's handler is done, or once the broker has it. */
  readonly acknowledges: "handled" | "queued";
  /** Whether the uplink learns from the broker who published. */
  readonly knowsSender: boolean;
}

const allTraits: TransportTraits = { acknowledges: "handled", knowsSender: true };

/** Runs the suite. */
export function transportContract(
  name: string,
  create: () => Promise<TransportHarness>,
  traits: TransportTraits = allTraits,
): void {
  describe(`${name} keeps the transport contract`, () => {
    let harness: TransportHarness;
    beforeEach(async () => {
      harness = await create();
    });
    afterEach(() => harness.close());

    const suite: Suite = {
      traits,
      harness: () => harness,
      connect: (name, options) => connectClient(harness, name, options),
      serve: async (handler) => {
        const served = openUplink(harness, handler);
        await harness.until(() => harness.isServing?.(served.uplink) ?? true);
        return served;
      },
      say: async (client, kind, value, { received }) => {
        const topic = `hw/1/t/up/${client.clientId}/${kind}`;
        await harness.until(settled(client.link.publish(topic, bytes(value))));
        const isIt = (message: UplinkMessage) => message.topic === topic && message.payload[0] === value;
        await harness.until(() => received.some(isIt));
      },
    };
    upward(suite);
    acknowledgements(suite);
    downward(suite);
    connections(suite);
  });
}

interface Suite {
  readonly traits: TransportTraits;
  readonly harness: () => TransportHarness;
  readonly connect: (name: string, options?: Partial<LinkOptions>) => Promise<TestClient>;
  /** An uplink that gets what is published. */
  readonly serve: (handler?: (message: UplinkMessage) => Promise<void>) => Promise<ServedUplink>;
  /** Publishes one byte and waits until it is acknowledged and has arrived. */
  readonly say: (client: TestClient, kind: string, value: number, served: ServedUplink) => Promise<void>;
}

function upward({ serve, connect, say, harness, traits }: Suite): void {
  test("what a device publishes reaches the uplink unchanged, with the device's name if it is known", async () => {
    const { received } = await serve();
    const pump = await connect("pump");
    await harness().until(settled(pump.link.publish("hw/1/t/up/pump/hello", bytes(1, 2, 3))));
    await harness().until(() => received.length === 1);
    const clientId = traits.knowsSender ? pump.clientId : undefined;
    expect(received).toEqual([{ topic: "hw/1/t/up/pump/hello", payload: bytes(1, 2, 3), clientId }]);
  });

  test("a payload may be written to as soon as it was published", async () => {
    const { received } = await serve();
    const pump = await connect("pump");
    const payload = bytes(1);
    const isDone = settled(pump.link.publish("hw/1/t/up/pump/hello", payload));
    payload[0] = 2;
    await harness().until(() => isDone() && received.length === 1);
    expect(received[0]?.payload).toEqual(bytes(1));
  });

  test("messages of one device are handled one at a time, in the order of publishing", async () => {
    let running = 0;
    let most = 0;
    const { received } = await serve(async () => {
      most = Math.max(most, ++running);
      for (let i = 0; i < 10; i++) await Promise.resolve();
      running--;
    });
    const pump = await connect("pump");
    const all = Promise.all([0, 1, 2, 3, 4].map((i) => pump.link.publish("hw/1/t/up/pump/chunk", bytes(i))));
    await harness().until(settled(all));
    await harness().until(() => received.length === 5 && running === 0);
    expect(most).toBe(1);
    expect(received.map(({ payload }) => payload[0])).toEqual([0, 1, 2, 3, 4]);
  });

  test("a device whose handler takes long does not hold up another", async () => {
    const gate = createGate();
    const done: string[] = [];
    const served = await serve(async ({ topic }) => {
      if (topic.includes("/slow/")) await gate.opened;
      done.push(topic);
    });
    const slow = await connect("slow");
    const quick = await connect("quick");
    const isSlowDone = settled(slow.link.publish("hw/1/t/up/slow/commit", bytes(1)));
    await say(quick, "commit", 1, served);
    expect(done).toEqual(["hw/1/t/up/quick/commit"]);
    gate.open();
    await harness().until(() => isSlowDone() && done.length === 2);
  });

  test("a message whose handler rejects does not hold up the next", async () => {
    let isFirst = true;
    const served = await serve(() => {
      const answer = isFirst ? Promise.reject(new Error("disk full")) : Promise.resolve();
      isFirst = false;
      return answer;
    });
    const pump = await connect("pump");
    const first = outcomeOf(pump.link.publish("hw/1/t/up/pump/commit", bytes(1)));
    await harness().until(() => served.received.length === 1);
    await harness().ackTimeout();
    await harness().until(() => first.isSettled && pump.isConnected);
    await say(pump, "commit", 2, served);
  });

  test("a closed uplink's handler is never called again, and its successor's is", async () => {
    const before = await serve();
    const pump = await connect("pump");
    await say(pump, "hello", 1, before);
    await before.uplink.close();
    const after = await serve();
    await harness().until(() => pump.isConnected);
    await harness().until(settled(publishSurely(pump, harness(), "hw/1/t/up/pump/hello", bytes(2))));
    await harness().until(() => after.received.some(({ payload }) => payload[0] === 2));
    expect(before.received.map(({ payload }) => payload[0])).toEqual([1]);
    await expect(before.uplink.send(pump.clientId, "hw/1/t/down/pump/wait", bytes(1))).rejects.toMatchObject({
      code: "transport-closed",
    });
  });
}

function acknowledgements({ serve, connect, harness, traits }: Suite): void {
  if (traits.acknowledges === "queued") {
    test("a publish resolves once the broker has it, whatever its handler does", async () => {
      const { received } = await serve(() => new Promise(() => undefined));
      const pump = await connect("pump");
      await harness().until(settled(pump.link.publish("hw/1/t/up/pump/commit", bytes(1))));
      await harness().until(() => received.length === 1);
    });
    return;
  }

  test("a publish resolves only after the handler has", async () => {
    const gate = createGate();
    const { received } = await serve(() => gate.opened);
    const pump = await connect("pump");
    const isDone = settled(pump.link.publish("hw/1/t/up/pump/commit", bytes(1)));
    await harness().until(() => received.length === 1);
    expect(isDone()).toBe(false);
    gate.open();
    await harness().until(isDone);
  });

  test("a publish whose handler rejects is not acknowledged", async () => {
    const { received } = await serve(() => Promise.reject(new Error("disk full")));
    const pump = await connect("pump");
    const outcome = outcomeOf(pump.link.publish("hw/1/t/up/pump/commit", bytes(1)));
    await harness().until(() => received.length === 1);
    await harness().ackTimeout();
    await harness().until(() => outcome.error !== undefined);
    expect(outcome.error).toMatchObject({ code: expect.stringMatching(/^transport-(timeout|closed)$/) });
  });

  test("a cut connection rejects what was in flight", async () => {
    const gate = createGate();
    const { received } = await serve(() => gate.opened);
    const pump = await connect("pump");
    const outcome = outcomeOf(pump.link.publish("hw/1/t/up/pump/commit", bytes(1)));
    await harness().until(() => received.length === 1);
    harness().cut(pump.clientId);
    await harness().until(() => outcome.error !== undefined);
    expect(outcome.error).toMatchObject({ code: "transport-closed" });
    gate.open();
  });
}

function downward({ serve, connect, harness }: Suite): void {
  test("what the uplink sends reaches that device only, in order", async () => {
    const { uplink } = await serve();
    const subscriptions = ["hw/1/t/down/pump/+"];
    const pump = await connect("pump", { subscriptions });
    const other = await connect("other");
    for (const i of [1, 2, 3]) await uplink.send(pump.clientId, "hw/1/t/down/pump/wait", bytes(i));
    await uplink.send(other.clientId, "hw/1/t/down/other/wait", bytes(9));
    await harness().until(() => pump.messages.length === 3 && other.messages.length === 1);
    expect(pump.messages.map(({ payload }) => payload[0])).toEqual([1, 2, 3]);
    expect(pump.messages[0]).toEqual({
      topic: "hw/1/t/down/pump/wait",
      payload: bytes(1),
      retained: false,
    });
    expect(other.messages.map(({ payload }) => payload[0])).toEqual([9]);
  });

  test("a payload may be written to as soon as the uplink was told to send it", async () => {
    const { uplink } = await serve();
    const pump = await connect("pump", { subscriptions: ["hw/1/t/down/pump/+"] });
    const payload = bytes(1);
    const isSent = settled(uplink.send(pump.clientId, "hw/1/t/down/pump/wait", payload));
    payload[0] = 2;
    await harness().until(() => isSent() && pump.messages.length === 1);
    expect(pump.messages[0]?.payload).toEqual(bytes(1));
  });

  test("sending to a device that is not connected resolves, and nothing arrives later", async () => {
    const { uplink } = await serve();
    await uplink.send(device("pump"), "hw/1/t/down/pump/wait", bytes(1));
    const pump = await connect("pump");
    await uplink.send(pump.clientId, "hw/1/t/down/pump/wait", bytes(2));
    await harness().until(() => pump.messages.length > 0);
    expect(pump.messages.map(({ payload }) => payload[0])).toEqual([2]);
  });

  test("a retained message reaches those connected, and later ones marked as retained", async () => {
    const { uplink } = await serve();
    const early = await connect("early", { subscriptions: ["hw/1/t/task"] });
    await uplink.retain("hw/1/t/task", bytes(1));
    await harness().until(() => early.messages.length === 1);
    const late = await connect("late", { subscriptions: ["hw/1/t/task"] });
    await harness().until(() => late.messages.length === 1);
    expect(early.messages).toEqual([{ topic: "hw/1/t/task", payload: bytes(1), retained: false }]);
    expect(late.messages).toEqual([{ topic: "hw/1/t/task", payload: bytes(1), retained: true }]);
  });

  test("only the last retained message of a topic is kept, and an empty one clears it", async () => {
    const { uplink } = await serve();
    const subscriptions = ["hw/1/t/task", "hw/1/t/release", "hw/1/t/down/late/+"];
    await uplink.retain("hw/1/t/task", bytes(1));
    await uplink.retain("hw/1/t/task", bytes(2));
    await uplink.retain("hw/1/t/release", bytes(3));
    await uplink.retain("hw/1/t/release", bytes());
    const late = await connect("late", { subscriptions });
    await uplink.send(late.clientId, "hw/1/t/down/late/wait", bytes(9));
    await harness().until(() => late.messages.some(({ payload }) => payload[0] === 9));
    expect(late.messages.filter(({ retained }) => retained).map(({ payload }) => payload[0])).toEqual([2]);
  });

  test("a receiver may write to a payload without anyone else seeing it", async () => {
    const { uplink } = await serve();
    const a = await connect("a", { subscriptions: ["hw/1/t/task"] });
    const b = await connect("b", { subscriptions: ["hw/1/t/task"] });
    const payload = bytes(1);
    await uplink.retain("hw/1/t/task", payload);
    payload[0] = 7;
    await harness().until(() => a.messages.length === 1);
    a.messages[0]!.payload[0] = 8;
    await harness().until(() => b.messages.length === 1);
    expect(b.messages[0]!.payload[0]).toBe(1);
  });
}

function connections({ serve, connect, say, harness }: Suite): void {
  const will: Will = { topic: "hw/1/t/presence/pump", payload: bytes(0), retain: true };
  const presence = ({ topic }: { topic: string }) => topic === will.topic;

  test("a connection that is cut publishes its will and comes back by itself", async () => {
    const served = await serve();
    const { received } = served;
    const pump = await connect("pump", { will });
    harness().cut(pump.clientId);
    await harness().until(() => pump.disconnects === 1);
    await harness().until(() => pump.connects === 2);
    await harness().until(() => received.some(presence));
    await say(pump, "hello", 1, served);
    expect(received.filter(presence)).toHaveLength(1);
  });

  test("a link that is closed publishes no will and does not come back", async () => {
    const served = await serve();
    const { received } = served;
    const pump = await connect("pump", { will });
    await pump.link.close();
    await expect(pump.link.publish("hw/1/t/up/pump/hello", bytes(1))).rejects.toMatchObject({
      code: "transport-closed",
    });
    const other = await connect("other");
    await say(other, "hello", 1, served);
    expect(received.filter(presence)).toEqual([]);
    expect(pump.connects).toBe(1);
  });

  test("a publish without a connection is refused", async () => {
    await serve();
    await expect(harness().link().publish("hw/1/t/up/pump/hello", bytes(1))).rejects.toMatchObject({
      code: "transport-closed",
    });
  });

  test("retained messages are sent again after a reconnect, subscriptions hold", async () => {
    const { uplink } = await serve();
    await uplink.retain("hw/1/t/task", bytes(1));
    const pump = await connect("pump", { subscriptions: ["hw/1/t/task"] });
    await harness().until(() => pump.messages.length === 1);
    harness().cut(pump.clientId);
    await harness().until(() => pump.messages.length === 2);
    expect(pump.messages.every(({ retained }) => retained)).toBe(true);
  });

  test("a second client of the same id takes the connection over", async () => {
    await serve();
    const first = await connect("pump");
    await connect("pump");
    await harness().until(() => first.disconnects >= 1);
  });
}

/** Publishes until it is acknowledged, as every sender of this protocol does. */
async function publishSurely(
  client: TestClient,
  harness: TransportHarness,
  topic: string,
  payload: Uint8Array,
): Promise<void> {
  for (;;) {
    const outcome = outcomeOf(client.link.publish(topic, payload));
    await harness.until(() => outcome.isSettled);
    if (outcome.error === undefined) return;
  }
}
