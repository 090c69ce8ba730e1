import { describe, expect, test } from "vitest";
import { systemClock } from "../../../../shared/clock.js";
import { Counters } from "../../../../shared/counters.js";
import { DeviceLanes, type LaneLimits } from "../../../../shared/transport/device-lanes.js";
import type { UplinkMessage } from "../../../../shared/transport/port.js";
import { createGate, outcomeOf } from "../../../support/transport-ends.js";

function start(handle: (message: UplinkMessage) => Promise<void>, limits: Partial<LaneLimits> = {}) {
  const counters = new Counters();
  const lanes = new DeviceLanes({ handle, counters, limits });
  const post = (device: string, value: number, bytes = 1) =>
    outcomeOf(lanes.post(device, message(device, value, bytes)));
  return { lanes, counters, post };
}

function message(device: string, value: number, bytes: number): UplinkMessage {
  return { topic: device, payload: new Uint8Array(bytes).fill(value), clientId: undefined };
}

describe("device lanes", () => {
  test("handle one device's messages in order, one at a time, while another's go on", async () => {
    const gate = createGate();
    const handled: string[] = [];
    const { post } = start(async ({ topic, payload }) => {
      if (topic === "slow") await gate.opened;
      handled.push(`${topic} ${payload[0]}`);
    });
    for (const value of [1, 2]) post("slow", value);
    for (const value of [1, 2]) post("quick", value);
    await systemClock.turn();
    expect(handled).toEqual(["quick 1", "quick 2"]);
    gate.open();
    await systemClock.turn();
    expect(handled).toEqual(["quick 1", "quick 2", "slow 1", "slow 2"]);
  });

  test("take a message at once while there is room, and make the next wait until there is", async () => {
    const gate = createGate();
    const { post } = start(() => gate.opened, { messages: 2, bytes: 100 });
    const first = post("a", 1);
    const second = post("b", 1);
    const third = post("c", 1);
    await systemClock.turn();
    expect([first, second, third].map(({ isSettled }) => isSettled)).toEqual([true, true, false]);
    gate.open();
    await systemClock.turn();
    expect(third.isSettled).toBe(true);
  });

  test("bound the bytes of all devices together, but take one message of any size", async () => {
    const gate = createGate();
    const { post } = start(() => gate.opened, { bytes: 100 });
    const huge = post("a", 1, 1000);
    const small = post("b", 1, 1);
    await systemClock.turn();
    expect([huge.isSettled, small.isSettled]).toEqual([true, false]);
  });

  test("drop and count what one device has beyond its share", async () => {
    const gate = createGate();
    const handled: number[] = [];
    const { post, counters } = start(
      async ({ payload }) => {
        await gate.opened;
        handled.push(payload[0] ?? 0);
      },
      { deviceMessages: 2 },
    );
    for (const value of [1, 2, 3]) post("a", value);
    await systemClock.turn();
    expect(counters.toJSON()).toEqual({ "uplink.flood": 1 });
    gate.open();
    await systemClock.turn();
    post("a", 4);
    await systemClock.turn();
    expect(handled).toEqual([1, 2, 4]);
  });

  test("count a failed handler and go on", async () => {
    const handled: (number | undefined)[] = [];
    const { post, counters } = start(async ({ payload }) => {
      handled.push(payload[0]);
      if (payload[0] === 1) throw new Error("disk full");
    });
    for (const value of [1, 2]) post("a", value);
    await systemClock.turn();
    expect(handled).toEqual([1, 2]);
    expect(counters.toJSON()).toEqual({ "uplink.failed": 1 });
  });

  test("once closed call the handler no more, and let go of who waits for room", async () => {
    const gate = createGate();
    let calls = 0;
    const { lanes, post } = start(
      () => {
        calls++;
        return gate.opened;
      },
      { messages: 2 },
    );
    post("a", 1);
    post("a", 2);
    const waiting = post("a", 3);
    lanes.close();
    gate.open();
    await systemClock.turn();
    expect(calls).toBe(1);
    expect(waiting.isSettled).toBe(true);
  });
});
