// Statistics of a block, against NumPy and SciPy.

import { describe, expect, test } from "vitest";
import { BlockStatistics } from "../../../../../shared/pipeline/signal/block-statistics.js";
import { fixture, fixtureOrder, fixtureStatistics } from "../../../../support/signal.js";

function statisticsOf(block: Float32Array | Float64Array): BlockStatistics {
  const statistics = new BlockStatistics(block.length);
  statistics.load(block);
  return statistics;
}

describe("of a known signal", () => {
  const statistics = statisticsOf(fixture);

  test.each(Object.entries(fixtureStatistics))("%s is %d", (name, expected) => {
    // Sums in another order than NumPy's pairwise ones: a few units in the 15th digit.
    expect(statistics.get(name as keyof typeof fixtureStatistics)).toBeCloseTo(expected, 12);
  });

  test("quartiles, their distance and the median absolute deviation are NumPy's", () => {
    expect(statistics.get(0.25)).toBeCloseTo(fixtureOrder.q25, 14);
    expect(statistics.get(0.75)).toBeCloseTo(fixtureOrder.q75, 14);
    expect(statistics.get("iqr")).toBeCloseTo(fixtureOrder.q75 - fixtureOrder.q25, 14);
    expect(1.4826 * statistics.get("mad")).toBeCloseTo(fixtureOrder.scaledMad, 14);
  });
});

describe("by hand", () => {
  // Mean 1, deviations 0 -3 1 2.
  const statistics = statisticsOf(Float32Array.of(1, -2, 2, 3));

  test.each([
    ["min", -2],
    ["max", 3],
    ["peak", 3],
    ["p2p", 5],
    ["energy", 4.5],
    ["rms", Math.sqrt(4.5)],
    ["std", Math.sqrt(3.5)],
    ["median", 1.5],
    // Deviations from 1.5: 0.5 3.5 0.5 1.5.
    ["mad", 1],
    // Not below, below, not below, not below.
    ["zcr", 2],
  ] as const)("%s is %d", (name, expected) => {
    expect(statistics.get(name)).toBeCloseTo(expected, 14);
  });

  test("each block is read afresh", () => {
    const again = statisticsOf(Float32Array.of(1, 2, 3));
    expect(again.get("median")).toBe(2);
    again.load(Float32Array.of(7, 7, 9));
    expect([again.get("median"), again.get("max"), again.get("zcr")]).toEqual([7, 9, 1]);
  });
});

describe("without variation", () => {
  test("a constant has no shape and no crossings", () => {
    const constant = statisticsOf(new Float32Array(1000).fill(0.1));
    for (const name of ["std", "skew", "kurtosis", "zcr", "mad", "iqr"] as const)
      expect(constant.get(name)).toBe(0);
    expect(constant.get("crest")).toBeCloseTo(1, 12);
  });

  test("a block of zeros has crest 0", () => {
    expect(statisticsOf(new Float32Array(8)).get("crest")).toBe(0);
  });
});
