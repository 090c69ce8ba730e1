// How long labels take: what they are about until they are heard.

import type { Counters } from "../../counters.js";

const STEPS = [
  ["1m", 60_000],
  ["10m", 600_000],
  ["1h", 3_600_000],
  ["6h", 21_600_000],
  ["1d", 86_400_000],
  ["7d", 604_800_000],
] as const;

/** Counts a delay under the first step it does not exceed: `labels.delay.1m` to `labels.delay.7d`, or `.longer`. */
export function countDelay(counters: Counters, delayMs: number): void {
  if (!Number.isFinite(delayMs)) return; // no clock, and no event time yet
  const step = STEPS.find(([, ms]) => delayMs <= ms);
  counters.add(`labels.delay.${step?.[0] ?? "longer"}`);
}
