// What the memory broker does beyond the transport contract: faults, bounds, crashes, counting.

import { describe, expect, test } from "vitest";
import type { Fate, FaultModel, Passage } from "../../../../shared/transport/fault.js";
import { createMemoryBroker, type MemoryBrokerOptions } from "../../../../shared/transport/memory.js";
import type { MemoryLink } from "../../../../shared/transport/memory-link.js";
import { ManualClock } from "../../../support/manual-clock.js";
import {
  bytes,
  connectClient,
  createGate,
  device,
  openUplink,
  outcomeOf,
  settled,
} from "../../../support/transport-ends.js";

const UP = "hw/1/t/up/pump/chunk";
const DOWN = "hw/1/t/down/pump/wait";
const pumpId = device("pump");

describe("faults", () => {
  test("a lost publish rejects after ten seconds, and the connection stays", async () => {
    const lose = createBroker({ fate: ({ direction }) => fate(direction === "up" ? 0 : 1) });
    const { received } = openUplink(lose);
    const pump = await connectClient(lose, "pump");
    const outcome = outcomeOf(pump.link.publish(UP, bytes(1)));
    await lose.clock.advance(9_999);
    expect(outcome.isSettled).toBe(false);
    await lose.clock.advance(1);
    expect(outcome.error).toMatchObject({ code: "transport-timeout" });
    expect(received).toEqual([]);
    expect(pump.disconnects).toBe(0);
  });

  test("a lost acknowledgement rejects the publish although the handler saw it", async () => {
    const lose = createBroker({ fate: ({ direction }) => fate(direction === "acknowledge" ? 0 : 1) });
    const { received } = openUplink(lose);
    const pump = await connectClient(lose, "pump");
    const outcome = outcomeOf(pump.link.publish(UP, bytes(1)));
    await lose.until(() => outcome.isSettled);
    expect(outcome.error).toMatchObject({ code: "transport-timeout" });
    expect(received).toHaveLength(1);
  });

  test("a doubled message is handled twice, and acknowledged once", async () => {
    const double = createBroker({ fate: ({ direction }) => fate(direction === "up" ? 2 : 1) });
    const { received } = openUplink(double);
    const pump = await connectClient(double, "pump");
    await double.until(settled(pump.link.publish(UP, bytes(1))));
    await double.until(() => received.length === 2);
    expect(received[0]).toEqual(received[1]);
    expect(received[0]?.payload).not.toBe(received[1]?.payload);
  });

  test("a message lost on the way down ends the connection, and what is retained arrives after all", async () => {
    let losses = 1;
    const lose = createBroker({
      fate: ({ direction }) => fate(direction === "down" && losses-- > 0 ? 0 : 1),
    });
    const { uplink } = openUplink(lose);
    const pump = await connectClient(lose, "pump", { subscriptions: ["hw/1/t/task"] });
    await uplink.retain("hw/1/t/task", bytes(1));
    await lose.clock.advance(10_000);
    expect(pump.messages).toEqual([]);
    expect(pump.disconnects).toBe(1);
    await lose.until(() => pump.messages.length === 1);
    expect(pump.messages[0]?.retained).toBe(true);
  });

  test("a slow message holds up those behind it", async () => {
    const delays = [50, 1, 1];
    const slow = createBroker({ fate: ({ topic }) => fate(1, topic === UP ? delays.shift() : 1) });
    expect(await orderOfArrival(slow)).toEqual([0, 1, 2]);
  });

  test("a message that may overtake arrives before a slower one", async () => {
    const delays = [50, 20, 1];
    const model: FaultModel = {
      fate: ({ topic, direction }) =>
        topic === UP && direction === "up" ? { ...fate(1, delays.shift()), overtakes: true } : fate(1),
    };
    expect(await orderOfArrival(createBroker(model))).toEqual([2, 1, 0]);
  });

  test("a client in a partition loses its connection and gets it back when the partition ends", async () => {
    const clock = new ManualClock();
    let healedMs = 0;
    const broker = createBroker({ fate: () => fate(1), unreachableUntil: () => healedMs }, { clock });
    const { received } = openUplink(broker);
    const will = { topic: "hw/1/t/presence/pump", payload: bytes(0), retain: true };
    const pump = await connectClient(broker, "pump", { will });
    healedMs = clock.now() + 100_000;
    const outcome = outcomeOf(pump.link.publish(UP, bytes(1)));
    await broker.until(() => pump.disconnects === 1);
    expect(outcome.error).toMatchObject({ code: "transport-closed" });
    await broker.until(() => pump.connects === 2);
    expect(clock.now()).toBeGreaterThanOrEqual(healedMs);
    expect(received.map(({ topic }) => topic)).toEqual([will.topic]);
  });

  test("reconnecting backs off: 1 s, then twice as long each time, up to a minute", async () => {
    const clock = new ManualClock(0);
    let isReachable = true;
    const attemptsMs: number[] = [];
    const unreachableUntil = () => {
      if (!isReachable) attemptsMs.push(clock.now());
      return isReachable ? 0 : Number.POSITIVE_INFINITY;
    };
    const broker = createBroker({ fate: () => fate(1), unreachableUntil }, { clock });
    const pump = await connectClient(broker, "pump");
    isReachable = false;
    broker.disconnect(pump.clientId, { abrupt: true });
    const startMs = clock.now();
    await clock.advance(250_000);
    const seconds = attemptsMs.map((atMs) => Math.round((atMs - startMs) / 1000));
    expect(seconds).toEqual([1, 3, 7, 15, 31, 63, 123, 183, 243]);
  });
});

describe("crashes", () => {
  test("a device process that is gone hears nothing more, leaves its will, and stays away", async () => {
    const broker = createBroker();
    const { uplink, received } = openUplink(broker);
    const link: MemoryLink = broker.link();
    const will = { topic: "hw/1/t/presence/pump", payload: bytes(0), retain: true };
    const pump = await connectClient({ ...broker, link: () => link }, "pump", { will });
    const outcome = outcomeOf(link.publish(UP, bytes(1)));
    await uplink.send(pumpId, DOWN, bytes(1));
    link.abandon();
    await broker.clock.advance(100_000);
    expect(outcome.error).toMatchObject({ code: "transport-closed" });
    expect(pump).toMatchObject({ messages: [], connects: 1, disconnects: 0 });
    expect(received.map(({ topic }) => topic)).toEqual([will.topic]);
  });

  test("a server process that is gone acknowledges nothing, not even what it still finishes", async () => {
    const broker = createBroker();
    const gate = createGate();
    const uplink = broker.uplink();
    let handled = 0;
    uplink.open(async () => {
      handled++;
      await gate.opened;
    });
    const pump = await connectClient(broker, "pump");
    const first = outcomeOf(pump.link.publish(UP, bytes(1)));
    const second = outcomeOf(pump.link.publish(UP, bytes(2)));
    await broker.until(() => handled === 1);
    uplink.abandon();
    gate.open();
    await broker.until(() => first.isSettled && second.isSettled);
    expect(handled).toBe(1);
    expect(first.error).toMatchObject({ code: "transport-timeout" });
    expect(second.error).toMatchObject({ code: "transport-timeout" });
  });

  test("what a server process sends after it is gone vanishes", async () => {
    const broker = createBroker();
    const uplink = broker.uplink();
    uplink.open(() => Promise.resolve());
    const pump = await connectClient(broker, "pump");
    uplink.abandon();
    await uplink.close();
    await uplink.send(pumpId, DOWN, bytes(1));
    const { uplink: successor } = openUplink(broker);
    await successor.send(pumpId, DOWN, bytes(2));
    await broker.until(() => pump.messages.length > 0);
    expect(pump.messages.map(({ payload }) => payload[0])).toEqual([2]);
  });

  test("a device is sent nothing on a topic it has not subscribed to", async () => {
    const broker = createBroker();
    const { uplink } = openUplink(broker);
    const pump = await connectClient(broker, "pump");
    await uplink.send(pumpId, "hw/1/t/down/other/wait", bytes(1));
    await uplink.send(pumpId, DOWN, bytes(2));
    await broker.until(() => pump.messages.length > 0);
    expect(pump.messages.map(({ payload }) => payload[0])).toEqual([2]);
  });
});

describe("bounds", () => {
  test("a publish beyond those in flight is refused at once", async () => {
    const broker = createBroker(undefined, { limits: { inFlight: 2 } });
    openUplink(broker);
    const pump = await connectClient(broker, "pump");
    const accepted = Promise.all([pump.link.publish(UP, bytes(1)), pump.link.publish(UP, bytes(2))]);
    await expect(pump.link.publish(UP, bytes(3))).rejects.toMatchObject({ code: "transport-timeout" });
    await broker.until(settled(accepted));
  });

  test("a device that cannot keep up with what it is sent is cut off", async () => {
    const broker = createBroker(undefined, { limits: { queue: 10 } });
    const { uplink } = openUplink(broker);
    const pump = await connectClient(broker, "pump");
    for (let i = 0; i < 11; i++) await uplink.send(pumpId, DOWN, bytes(i));
    await broker.until(() => pump.disconnects === 1);
    expect(pump.messages).toEqual([]);
  });

  test("a device that publishes more than a payload may hold is cut off", async () => {
    const broker = createBroker(undefined, { limits: { payloadBytes: 10 } });
    const { received } = openUplink(broker);
    const pump = await connectClient(broker, "pump");
    const outcome = outcomeOf(pump.link.publish(UP, new Uint8Array(11)));
    await broker.until(() => pump.disconnects === 1);
    expect(outcome.error).toMatchObject({ code: "transport-closed" });
    expect(received).toEqual([]);
  });

  test("an idle broker holds no timers", async () => {
    const broker = createBroker();
    const { uplink } = openUplink(broker);
    const pump = await connectClient(broker, "pump");
    await broker.until(settled(pump.link.publish(UP, bytes(1))));
    await uplink.send(pumpId, DOWN, bytes(1));
    await broker.clock.advance(1);
    expect(broker.clock.pending).toBe(0);
  });
});

test("traffic counts topic and payload of every attempt, in all and by client", async () => {
  const broker = createBroker({ fate: ({ direction }) => fate(direction === "up" ? 2 : 1) });
  const { uplink } = openUplink(broker);
  const pump = await connectClient(broker, "pump");
  const other = await connectClient(broker, "other");
  await broker.until(settled(pump.link.publish(UP, bytes(1, 2, 3))));
  await uplink.send(other.clientId, "hw/1/t/down/other/wait", bytes(1));
  const up = 2 * (UP.length + 3);
  const down = "hw/1/t/down/other/wait".length + 1;
  expect(broker.traffic).toEqual({ up, down });
  expect(broker.trafficOf(pump.clientId)).toEqual({ up, down: 0 });
  expect(broker.trafficOf(other.clientId)).toEqual({ up: 0, down });
});

test("nothing happens synchronously", async () => {
  const broker = createBroker();
  const { received, uplink } = openUplink(broker);
  const pump = await connectClient(broker, "pump");
  const published = pump.link.publish(UP, bytes(1));
  await uplink.send(pumpId, DOWN, bytes(1));
  await Promise.resolve();
  expect([received.length, pump.messages.length]).toEqual([0, 0]);
  await broker.until(settled(published));
  expect([received.length, pump.messages.length]).toEqual([1, 1]);
});

test("the same fates give the same order of fault questions", async () => {
  const asked: Passage[][] = [];
  for (let run = 0; run < 2; run++) {
    const seen: Passage[] = [];
    const broker = createBroker({
      fate: (passage) => {
        seen.push(passage);
        return fate(seen.length % 3, 1 + (seen.length % 5));
      },
    });
    openUplink(broker);
    const clients = await Promise.all(["a", "b"].map((name) => connectClient(broker, name)));
    for (const { link, clientId } of clients) {
      for (let i = 0; i < 5; i++) outcomeOf(link.publish(`hw/1/t/up/${clientId}/chunk`, bytes(i)));
    }
    await broker.clock.advance(20_000);
    asked.push(seen);
  }
  expect(asked[0]).toEqual(asked[1]);
  expect(asked[0]!.length).toBeGreaterThan(10);
});

function fate(copies: number, delayMs = 1): Fate {
  return { copies, delayMs };
}

function createBroker(
  faults?: FaultModel,
  options: Partial<MemoryBrokerOptions> & { clock?: ManualClock } = {},
) {
  const clock = options.clock ?? new ManualClock();
  const broker = createMemoryBroker({ clock, ...(faults === undefined ? {} : { faults }), ...options });
  return {
    clock,
    link: () => broker.link(),
    uplink: () => broker.uplink(),
    disconnect: broker.disconnect.bind(broker),
    traffic: broker.traffic,
    trafficOf: broker.trafficOf.bind(broker),
    until: (condition: () => boolean) => clock.until(condition, 1_000_000),
  };
}

async function orderOfArrival(broker: ReturnType<typeof createBroker>): Promise<(number | undefined)[]> {
  const { received } = openUplink(broker);
  const pump = await connectClient(broker, "pump");
  const all = Promise.all([0, 1, 2].map((i) => pump.link.publish(UP, bytes(i))));
  await broker.until(settled(all));
  return received.map(({ payload }) => payload[0]);
}
