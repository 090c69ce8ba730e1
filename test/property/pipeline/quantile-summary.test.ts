// Laws of summaries that devices send of their columns, and of what a fleet's summaries come to.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { QuantileSketch } from "../../../shared/pipeline/quantile.js";
import {
  PooledQuantiles,
  readSummary,
  SUMMARY_POINTS,
  summarise,
} from "../../../shared/pipeline/quantile-summary.js";

/** Of a summary: values stand in the middle of the ranks they speak for. */
const RANK_ERROR = 1 / (2 * SUMMARY_POINTS);

/** One device's values, as float32: normal, of a heavy tail, far from zero, or only a few different ones. */
const values = fc
  .record({
    kind: fc.constantFrom("normal", "heavy", "far", "few"),
    shift: fc.integer({ min: -3, max: 3 }),
    seeds: fc.array(fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }), { minLength: 1, maxLength: 700 }),
  })
  .map(({ kind, shift, seeds }) => seeds.map((u) => Math.fround(drawnAs(kind, u) + shift)));

function drawnAs(kind: string, u: number): number {
  if (kind === "few") return Math.round(4 * u);
  if (kind === "heavy") return Math.tan(Math.PI * (u - 0.5));
  const normal = Math.log(u / (1 - u));
  return kind === "far" ? 101_325 + 3 * normal : normal;
}

const fleet = fc.array(values, { minLength: 1, maxLength: 12 });

function summaryOf(all: readonly number[]): Uint8Array {
  const sketch = new QuantileSketch();
  for (const x of all) sketch.add(x);
  return summarise(sketch);
}

function pooled(devices: readonly (readonly number[])[]): PooledQuantiles {
  const pool = new PooledQuantiles(devices.length, 1);
  for (const each of devices) pool.add(summaryOf(each), each.length);
  return pool;
}

/** How far share `p` is from the ranks that `x` has among `all`. */
function rankError(all: readonly number[], x: number, p: number): number {
  const below = all.filter((each) => each < x).length / all.length;
  const upTo = all.filter((each) => each <= x).length / all.length;
  return Math.max(0, below - p, p - upTo);
}

describe("a fleet's quartiles", () => {
  test("stand within the stated error of the pooled ones' ranks, however unevenly data is spread", () => {
    fc.assert(
      fc.property(fleet, (devices) => {
        const all = devices.flat();
        const { low, median, high } = pooled(devices).quartiles();
        for (const [x, p] of [
          [low, 0.25],
          [median, 0.5],
          [high, 0.75],
        ] as const) {
          expect(rankError(all, x, p)).toBeLessThanOrEqual(RANK_ERROR + 1e-12);
        }
      }),
    );
  });

  test("do not depend on the order of the devices, to the bit", () => {
    fc.assert(
      fc.property(
        fleet.chain((devices) =>
          fc.tuple(fc.constant(devices), fc.shuffledSubarray(devices, { minLength: devices.length })),
        ),
        ([devices, shuffled]) => {
          expect(pooled(shuffled).quartiles()).toStrictEqual(pooled(devices).quartiles());
        },
      ),
    );
  });

  test("of one device with an odd number of values are its own", () => {
    expect(pooled([[5, 1, 3]]).quartiles()).toEqual({ low: 1, median: 3, high: 5 });
    expect(pooled([[0, 10]]).quartiles()).toEqual({ low: 0, median: 5, high: 10 });
  });

  test("weigh devices by their examples", () => {
    expect(pooled([new Array<number>(90).fill(1), new Array<number>(10).fill(1e30)]).quartiles()).toEqual({
      ...{ low: 1, median: 1, high: 1 },
    });
  });

  test("of very many devices come from fewer points of each, the middle ones", () => {
    // So many columns that a round's points would take gigabytes: one point per device is left, its median.
    const pool = new PooledQuantiles(3, 1e6);
    for (const shift of [10, 20, 30]) pool.add(summaryOf([shift - 1, shift, shift + 1]), 3);
    expect(pool.quartiles()).toEqual({ low: 10, median: 20, high: 30 });
  });
});

describe("a summary", () => {
  test("can be read back: finite, in rising order, from values that were seen or between them", () => {
    fc.assert(
      fc.property(values, (all) => {
        const points = readSummary(summaryOf(all));
        expect(points).toHaveLength(SUMMARY_POINTS);
        expect(points![0]).toBeGreaterThanOrEqual(Math.min(...all));
        expect(points!.at(-1)).toBeLessThanOrEqual(Math.max(...all));
      }),
    );
  });

  test("is refused when it is cut, unordered or not finite", () => {
    const sound = summaryOf([1, 2, 3]);
    expect(readSummary(sound.subarray(4))).toBeUndefined();
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, -9]) {
      const damaged = sound.slice();
      new DataView(damaged.buffer).setFloat32(4 * 40, wrong, true);
      expect(readSummary(damaged)).toBeUndefined();
    }
  });

  test("of nothing is zeros", () => {
    expect(readSummary(summaryOf([]))).toEqual(new Float32Array(SUMMARY_POINTS));
  });
});
