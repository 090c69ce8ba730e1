// How sensors fail: they fall silent for a while, spike, or repeat their last value. Seeded per sensor.

import type { Random } from "../../shared/random.js";

/** Chances per reading, and how many readings a gap or a stuck value lasts on average. */
export interface SensorFaults {
  readonly gap: number;
  readonly stuck: number;
  readonly spike: number;
  readonly lasting: number;
  /** Added to or taken from the true value by a spike. */
  readonly spikeBy: number;
}

/** A sensor that is given true values and says what it says; null while it is silent. */
export function createFaultySensor(faults: SensorFaults, random: Random): (value: number) => number | null {
  let silentFor = 0;
  let stuckFor = 0;
  let last = 0;
  const spell = () => 1 + random.integer(2 * faults.lasting);
  return (value) => {
    if (silentFor > 0 || random.uniform() < faults.gap) {
      silentFor = silentFor > 0 ? silentFor - 1 : spell();
      return null;
    }
    if (stuckFor > 0) {
      stuckFor--;
      return last;
    }
    if (random.uniform() < faults.stuck) stuckFor = spell();
    last = value;
    if (random.uniform() >= faults.spike) return value;
    return value + (random.uniform() < 0.5 ? -1 : 1) * faults.spikeBy;
  };
}
