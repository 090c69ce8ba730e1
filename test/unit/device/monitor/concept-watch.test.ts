// Errors of telemetry resemble the ones before: what a detector hears must not.

import { describe, expect, test } from "vitest";
import { ConceptWatch } from "../../../../device/monitor/concept-watch.js";
import { Counters } from "../../../../shared/counters.js";
import { detectors } from "../../../../shared/drift/concept/registry.js";
import { randomStream } from "../../../../shared/random.js";

const SEEDS = 10;
const ROWS = 10_000;

function watch(kind: string, areMisses: boolean): ConceptWatch {
  const call = { kind, params: detectors[kind]!.params.parse({}) };
  return new ConceptWatch({ call, areMisses, counters: new Counters() });
}

/** Errors of a model whose residuals are AR(1), deviation 1: their size, or whether they are in the upper tenth. */
function errors(phi: number, seed: number, areMisses: boolean): (shift?: number) => number {
  const random = randomStream("concept", String(seed), String(phi));
  let residual = random.normal();
  return (shift = 0) => {
    residual = phi * residual + Math.sqrt(1 - phi * phi) * random.normal();
    return areMisses ? Number(residual + shift > 1.2816) : Math.abs(residual + shift);
  };
}

describe.each([
  ["adwin", false],
  ["adwin", true],
  ["page-hinkley", false],
] as const)("%s, hits and misses: %s", (kind, areMisses) => {
  test.each([0, 0.5, 0.9])(
    "at most one false alarm in 10,000 rows, and a shift by one deviation is told (AR(1) %d)",
    (phi) => {
      let [alarms, found] = [0, 0];
      for (let seed = 0; seed < SEEDS; seed++) {
        const concept = watch(kind, areMisses);
        const next = errors(phi, seed, areMisses);
        for (let i = 0; i < ROWS; i++) if (concept.see(next()) !== undefined) alarms += 1;
        for (let i = 0; i < 3_000 && concept.see(next(1)) === undefined; i++);
        if (concept.state.status === "drift") found += 1;
      }
      expect(alarms / SEEDS).toBeLessThanOrEqual(1);
      expect(found).toBe(SEEDS);
    },
  );
});

test("some misses more than usual in a short time are no drift: in deviations, each of them is many", () => {
  const rate = (misses: number, seed: number) => {
    const random = randomStream("rare", String(seed));
    return () => Number(random.uniform() < misses);
  };
  let [alarms, found] = [0, 0];
  for (let seed = 0; seed < 2 * SEEDS; seed++) {
    const concept = watch("adwin", true);
    const rare = rate(0.05, seed);
    for (let i = 0; i < ROWS; i++) if (concept.see(rare()) !== undefined) alarms += 1;
    const often = rate(0.4, seed);
    let isFound = false;
    for (let i = 0; i < 200 && !isFound; i++) isFound = concept.see(often()) !== undefined;
    if (isFound) found += 1;
  }
  expect({ alarms, found }).toEqual({ alarms: 0, found: 2 * SEEDS });
});

test("tells how many rows ago a change began", () => {
  const concept = watch("adwin", false);
  const next = errors(0, 1, false);
  for (let i = 0; i < 1_000; i++) concept.see(next());
  let rows = 0;
  let ago: number | undefined;
  for (; ago === undefined && rows < 1_000; rows++) ago = concept.see(next(2));
  // Buckets are cut whole.
  expect(Math.abs(ago! - rows)).toBeLessThan(64);
});

test("of errors that are all alike nothing is made, and one that differs is no number too large to bear", () => {
  const concept = watch("adwin", false);
  for (let i = 0; i < 500; i++) expect(concept.see(0)).toBeUndefined();
  for (const error of [1e300, 0, 0]) expect(concept.see(error)).toBeUndefined();
  expect(concept.state).toEqual({ status: "ok", detections: 0 });
});
