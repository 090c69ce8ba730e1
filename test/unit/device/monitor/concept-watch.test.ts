// Errors of telemetry resemble the ones before: what a detector hears must not.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConceptWatch } from "../../../../device/monitor/concept-watch.js";
import { Counters } from "../../../../shared/counters.js";
import { detectors } from "../../../../shared/drift/concept/registry.js";
import { decodeState, encodeState } from "../../../../shared/pipeline/state.js";
import { randomStream } from "../../../../shared/random.js";

const SEEDS = 10;
const ROWS = 10_000;

function watch(kind: string, areMisses: boolean, params = {}, counters = new Counters()): ConceptWatch {
  const call = { kind, params: detectors[kind]!.params.parse(params) };
  return new ConceptWatch({ call, areMisses, counters });
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
        for (let i = 0; i < ROWS; i++) if (concept.see(next())?.type === "began") alarms += 1;
        for (let i = 0; i < 3_000 && concept.see(next(1))?.type !== "began"; i++);
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
  for (; ago === undefined && rows < 1_000; rows++) {
    const news = concept.see(next(2));
    if (news?.type === "began") ago = news.rowsAgo;
  }
  // Buckets are cut whole.
  expect(Math.abs(ago! - rows)).toBeLessThan(64);
});

test("of errors that are all alike nothing is made, and one that differs is no number too large to bear", () => {
  const concept = watch("adwin", false);
  for (let i = 0; i < 500; i++) expect(concept.see(0)).toBeUndefined();
  for (const error of [1e300, 0, 0]) expect(concept.see(error)).toBeUndefined();
  expect(concept.state).toEqual({ status: "ok", detections: 0 });
});

/** Feeds errors until there is news of this type: how many it took. */
function rowsUntil(concept: ConceptWatch, type: "began" | "ended", error: () => number, most: number) {
  for (let row = 1; row <= most; row++) if (concept.see(error())?.type === type) return row;
  return undefined;
}

/** A watch of 3,000 calm errors, and an alarm about the ones after. */
function alarmed(options: { phi: number; seed: number; areMisses: boolean; kind?: string; params?: object }) {
  const { phi, seed, areMisses, kind = "adwin", params = {} } = options;
  const counters = new Counters();
  const concept = watch(kind, areMisses, params, counters);
  const next = errors(phi, seed, areMisses);
  for (let i = 0; i < 3_000; i++) concept.see(next());
  const told = rowsUntil(concept, "began", () => next(1.5), 3_000);
  expect(told).toBeDefined();
  return { concept, next, counters };
}

describe.each([
  [0, false, 10_000],
  [0.5, false, 10_000],
  [0.9, false, 50_000],
  [0, true, 10_000],
  [0.5, true, 10_000],
])("an alarm, AR(1) %d, hits and misses: %s", (phi, areMisses, rows) => {
  test("ends when the error is what it was", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { concept, next, counters } = alarmed({ phi, seed, areMisses });
      expect(rowsUntil(concept, "ended", () => next(), rows)).toBeDefined();
      expect(concept.state).toEqual({ status: "ok", detections: 1 });
      expect(counters.get("monitor.alarms-ended")).toBe(1);
    }
  });

  test("stays while residuals are one deviation off", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { concept, next } = alarmed({ phi, seed, areMisses });
      expect(rowsUntil(concept, "ended", () => next(1), 30_000)).toBeUndefined();
      expect(concept.state.status).toBe("drift");
    }
  });
});

test("after an alarm has ended the next change is told, and ends too", () => {
  const { concept, next } = alarmed({ phi: 0, seed: 1, areMisses: false });
  for (const detections of [1, 2]) {
    expect(rowsUntil(concept, "ended", () => next(), 2_000)).toBeDefined();
    expect(concept.state).toEqual({ status: "ok", detections });
    expect(rowsUntil(concept, "began", () => next(1.5), 1_000)).toBeDefined();
  }
});

test("an alarm of a version of which little is known has no end", () => {
  const concept = watch("adwin", false);
  const next = errors(0.9, 1, false);
  for (let i = 0; i < 400; i++) concept.see(next());
  expect(rowsUntil(concept, "began", () => next(4), 3_000)).toBeDefined();
  expect(rowsUntil(concept, "ended", () => next(), 30_000)).toBeUndefined();
});

test("rare misses that have become ten times as many are not taken for absent", () => {
  const random = randomStream("rare misses", "one in 200");
  const counters = new Counters();
  const concept = watch("adwin", true, {}, counters);
  const miss = (share: number) => () => Number(random.uniform() < share);
  for (let i = 0; i < 5_000; i++) concept.see(miss(0.005)());
  expect(rowsUntil(concept, "began", miss(0.5), 1_000)).toBeDefined();
  expect(rowsUntil(concept, "ended", miss(0.05), 50_000)).toBeUndefined();
  expect(rowsUntil(concept, "ended", miss(0.005), 10_000)).toBeDefined();
});

test("what is more than a mean that has risen does not end by the mean", () => {
  for (const [kind, params] of [
    ["kswin", {}],
    ["adwin", { side: "both" }],
  ] as const) {
    const { concept, next } = alarmed({ phi: 0, seed: 1, areMisses: false, kind, params });
    expect(rowsUntil(concept, "ended", () => next(), 5_000)).toBeUndefined();
  }
});

test("a watch that was killed goes on where it was, also in an alarm", () => {
  const rows = 6_000;
  const stream = (seed: number) => {
    const next = errors(0.5, seed, false);
    return Array.from({ length: rows }, (_, i) => next(i > 1_000 && i < 1_400 ? 2 : 0));
  };
  const live = watch("adwin", false);
  const seen = stream(1).map((error) => live.see(error)?.type);
  expect(seen).toContain("ended"); // else what follows says little
  fc.assert(
    fc.property(fc.nat({ max: 3 }), fc.nat({ max: rows - 1 }), (seed, killAt) => {
      const steady = watch("adwin", false);
      let killed = watch("adwin", false);
      stream(seed).forEach((error, i) => {
        if (i === killAt) {
          const saved = decodeState(encodeState(killed.save()));
          killed = watch("adwin", false);
          killed.restore(saved);
        }
        expect(killed.see(error)).toEqual(steady.see(error));
      });
      expect(encodeState(killed.save())).toEqual(encodeState(steady.save()));
    }),
    { numRuns: 10 },
  );
});
