import { describe, expect, test } from "vitest";
import { Counters } from "../../../shared/counters.js";
import type { Fate } from "../../../shared/transport/fault.js";
import { FaultyNetwork, type NetworkFaults } from "../../../simulator/network.js";
import { deviceId } from "../../support/device-kit.js";
import { ManualClock } from "../../support/manual-clock.js";

const bad: NetworkFaults = { delayMs: 100, slow: 0.1, loss: 0.1, duplicate: 0.2, overtake: 0.3 };
const [a, b] = [deviceId("a"), deviceId("b")];

function createNetwork(seed: string, faults: NetworkFaults = bad) {
  const clock = new ManualClock();
  const counters = new Counters();
  return { clock, counters, network: new FaultyNetwork({ seed, clock, faults, counters }) };
}

function fatesOf(network: FaultyNetwork, count: number, clientId = a): Fate[] {
  const passage = { clientId, direction: "up", topic: "t", bytes: 1 } as const;
  return Array.from({ length: count }, () => network.fate(passage));
}

describe("fates", () => {
  test("come from the seed alone", () => {
    const fates = fatesOf(createNetwork("1").network, 200);
    expect(fatesOf(createNetwork("1").network, 200)).toEqual(fates);
    expect(fatesOf(createNetwork("2").network, 200)).not.toEqual(fates);
  });

  test("of one client do not depend on what others send", () => {
    const alone = fatesOf(createNetwork("1").network, 50);
    const { network } = createNetwork("1");
    const among = Array.from({ length: 50 }, () => {
      fatesOf(network, 3, b);
      return fatesOf(network, 1)[0];
    });
    expect(among).toEqual(alone);
  });

  test("have the shares that were asked for", () => {
    const { network, counters } = createNetwork("1");
    const fates = fatesOf(network, 10_000);
    const share = (is: (fate: Fate) => boolean) => fates.filter(is).length / fates.length;
    // Five standard deviations of a share of 10,000 draws are at most 0.025.
    expect(share(({ copies }) => copies === 0)).toBeCloseTo(bad.loss, 1);
    expect(share(({ copies }) => copies === 2)).toBeCloseTo(bad.duplicate * (1 - bad.loss), 1);
    expect(share(({ overtakes }) => overtakes === true)).toBeCloseTo(bad.overtake, 1);
    expect(Math.max(...fates.map(({ delayMs }) => delayMs))).toBeLessThanOrEqual(10 * bad.delayMs);
    expect(counters.get("loss")).toBe(fates.filter(({ copies }) => copies === 0).length);
  });

  test("a message counts as reordered only when one before it arrives later", () => {
    const { network, counters } = createNetwork("1", { ...bad, overtake: 1, loss: 0 });
    const arrivals = fatesOf(network, 100).map(({ delayMs }) => delayMs);
    const overtaking = arrivals.filter((at, i) => arrivals.slice(0, i).some((earlier) => earlier > at));
    expect(counters.get("reorder")).toBe(overtaking.length);
  });
});

describe("partitions", () => {
  test("a client that is cut off cannot be reached until the time is over; others can", async () => {
    const { network, clock, counters } = createNetwork("1");
    network.cut(a, 5000);
    expect(network.unreachableUntil(a)).toBe(clock.now() + 5000);
    expect(network.unreachableUntil(b)).toBe(0);
    expect(counters.get("partition")).toBe(1);
    await clock.advance(5000);
    expect(network.unreachableUntil(a)).toBeLessThanOrEqual(clock.now());
  });

  test("calm ends every fault", () => {
    const { network } = createNetwork("1");
    network.cut(a, 5000);
    network.calm();
    expect(network.unreachableUntil(a)).toBe(0);
    expect(fatesOf(network, 100).every(({ copies, delayMs }) => copies === 1 && delayMs === 1)).toBe(true);
  });
});
