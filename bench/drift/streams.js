// Streams of errors and of numbers for concept detectors, calm and changing.

import { randomStream } from "../../dist/shared/random.js";

const CALM = 10_000;
const BEFORE = 1_000;
const AFTER = 2_000;

function drawOf(random, isNumbers, change) {
  return isNumbers ? random.normal() + change : random.uniform() < change ? 1 : 0;
}

/** Drifts told in 10,000 updates of a stream that keeps its law. */
export function alarmsPer10k(create, isNumbers, seeds) {
  let alarms = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const random = randomStream(String(seed), "bench calm");
    const detector = create();
    for (let i = 0; i < CALM; i++)
      if (detector.update(drawOf(random, isNumbers, isNumbers ? 0 : 0.1)) === "drift") alarms += 1;
  }
  return alarms / seeds;
}

/** Updates from a change until it is told: the median of those told within 2,000, and their share. */
export function delayOf(create, isNumbers, change, seeds) {
  const delays = [];
  for (let seed = 0; seed < seeds; seed++) {
    const random = randomStream(String(seed), "bench change");
    const detector = create();
    for (let i = 0; i < BEFORE; i++) detector.update(drawOf(random, isNumbers, isNumbers ? 0 : 0.1));
    for (let i = 1; i <= AFTER; i++) {
      if (detector.update(drawOf(random, isNumbers, change)) !== "drift") continue;
      delays.push(i);
      break;
    }
  }
  delays.sort((a, b) => a - b);
  return { median: delays[Math.floor(delays.length / 2)] ?? null, found: delays.length / seeds };
}
