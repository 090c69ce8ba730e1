import { describe, expect, test } from "vitest";
import { cohortSize, shareOf, shuffleDevices } from "../../../../server/fleet/selection.js";
import type { DeviceId } from "../../../../shared/id.js";

const devices = Array.from({ length: 50 }, (_, at) => `d${at}` as DeviceId);

describe("selection", () => {
  test("depends on seed and round, not on the order in which devices are known", () => {
    const order = shuffleDevices(devices, "s", 1);
    expect(shuffleDevices(devices.toReversed(), "s", 1)).toEqual(order);
    expect(shuffleDevices(devices, "s", 2)).not.toEqual(order);
    expect(shuffleDevices(devices, "t", 1)).not.toEqual(order);
    expect(order.toSorted()).toEqual(devices.toSorted());
  });

  test("a device's rank does not depend on who else is there", () => {
    const order = shuffleDevices(devices, "s", 1);
    const some = devices.filter((_, at) => at % 3 > 0);
    expect(shuffleDevices(some, "s", 1)).toEqual(order.filter((device) => some.includes(device)));
  });

  test("gives every device the same chance", () => {
    const counts = new Map<DeviceId, number>();
    const rounds = 2000;
    for (let round = 1; round <= rounds; round++) {
      for (const device of shuffleDevices(devices.slice(0, 10), "s", round).slice(0, 3)) {
        counts.set(device, (counts.get(device) ?? 0) + 1);
      }
    }
    // Binomial(2000, 0.3): mean 600, standard deviation 20.5; five of them.
    for (const count of counts.values()) expect(Math.abs(count - 600)).toBeLessThan(103);
  });
});

describe("cohort size", () => {
  test("is all, a share of those there but at least one, or a number", () => {
    expect(cohortSize({ kind: "all" }, 7)).toBe(7);
    expect(cohortSize({ kind: "fraction", fraction: 0.1 }, 100)).toBe(10);
    expect(cohortSize({ kind: "fraction", fraction: 0.1 }, 3)).toBe(1);
    expect(cohortSize({ kind: "fraction", fraction: 0.1 }, 0)).toBe(0);
    expect(cohortSize({ kind: "count", count: 5 }, 3)).toBe(5);
  });

  test("a share is rounded up, but not for a last bit", () => {
    expect(shareOf(0.8, 5)).toBe(4);
    expect(shareOf(0.55, 20)).toBe(11);
    expect(shareOf(0.8, 12)).toBe(10);
  });
});
