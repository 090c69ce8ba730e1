// Telemetry that keeps its law, in the ways real telemetry does: what a drift detector must be silent on.

import type { DriftRow } from "../../shared/drift/data/port.js";
import { type Random, randomStream } from "../../shared/random.js";

export const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

type Stream = (random: Random) => (timeMs: number) => number;

/** First-order autoregressive, mean 0, deviation 1. */
function autoregressive(phi: number): Stream {
  return (random) => {
    let y = random.normal();
    return () => {
      y = phi * y + Math.sqrt(1 - phi * phi) * random.normal();
      return y;
    };
  };
}

/** Streams of deviation 1, but for the daily cycle that one of them has on top. */
export const streams: Readonly<Record<string, { readonly stream: Stream; readonly seasonMs?: number }>> = {
  independent: { stream: autoregressive(0) },
  "phi 0.5": { stream: autoregressive(0.5) },
  "phi 0.9": { stream: autoregressive(0.9) },
  "phi 0.98": { stream: autoregressive(0.98) },
  uniform: { stream: (random) => () => Math.sqrt(12) * (random.uniform() - 0.5) },
  "heavy tail": { stream: (random) => () => studentThree(random) / Math.sqrt(3) },
  "slow under noise": {
    stream: (random) => {
      const slow = autoregressive(0.98)(random);
      return (timeMs) => Math.SQRT1_2 * (slow(timeMs) + random.normal());
    },
  },
  "daily cycle, phi 0.9": {
    seasonMs: DAY_MS,
    stream: (random) => {
      const weather = autoregressive(0.9)(random);
      return (timeMs) => 3 * Math.sin((2 * Math.PI * timeMs) / DAY_MS) + weather(timeMs);
    },
  },
};

// Student's t of three degrees of freedom: variance 3, no fourth moment.
function studentThree(random: Random): number {
  const square = random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2;
  return random.normal() / Math.sqrt(square / 3);
}

/** Rows of independent columns of one stream, a minute apart; `shift` is added to the first column. */
export function telemetryOf(name: string, seed: string, columns: number): (shift?: number) => DriftRow {
  const random = randomStream(seed, "telemetry", name);
  const draws = Array.from({ length: columns }, () => streams[name]!.stream(random));
  let timeMs = Date.UTC(2026, 0, 1);
  return (shift = 0) => {
    timeMs += MINUTE_MS;
    return { timeMs, features: Float32Array.from(draws, (draw, c) => draw(timeMs) + (c === 0 ? shift : 0)) };
  };
}
