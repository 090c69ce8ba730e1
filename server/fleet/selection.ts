// Who is asked: a pure function of root seed, round and who is there.

import type { DeviceId } from "../../shared/id.js";
import { randomStream } from "../../shared/random.js";
import type { CohortSpec } from "../../shared/task/task.js";

/**
 * `devices` in the round's own random order, which does not depend on the order they are given in: each draws a
 * rank from a stream of its own. The first n are a uniform sample of n; the next one is the next replacement.
 */
export function shuffleDevices(devices: Iterable<DeviceId>, seed: string, round: number): DeviceId[] {
  return Array.from(devices, (device) => ({
    device,
    rank: randomStream(seed, "selection", round, device).uniform(),
  }))
    .sort((a, b) => a.rank - b.rank || (a.device < b.device ? -1 : 1))
    .map(({ device }) => device);
}

/** How many updates a cohort of `available` devices aims at; at least 1 when there is any. */
export function cohortSize(cohort: CohortSpec, available: number): number {
  switch (cohort.kind) {
    case "all":
      return available;
    // McMahan et al. 2017, algorithm 1: max(C K, 1).
    case "fraction":
      return Math.min(available, Math.max(1, Math.round(cohort.fraction * available)));
    case "count":
      return cohort.count;
  }
}

/** The least whole number not below `share` of `count`; forgiving the last bits of a product of decimals. */
export function shareOf(share: number, count: number): number {
  return Math.ceil(share * count - 1e-9);
}
