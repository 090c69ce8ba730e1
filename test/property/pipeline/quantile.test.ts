// Laws of order statistics, against sorting everything.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EXACT_VALUES, QuantileSketch } from "../../../shared/pipeline/quantile.js";
import { decodeState, encodeState } from "../../../shared/pipeline/state.js";

const share = fc.double({ min: 0, max: 1, noNaN: true });

/** Many values in an order that a sketch might not like. */
const stream = fc
  .record({
    count: fc.integer({ min: EXACT_VALUES, max: 12 * EXACT_VALUES }),
    order: fc.constantFrom("rising", "falling", "sawtooth", "shuffled", "skewed"),
    stride: fc.integer({ min: 2, max: 997 }),
  })
  .map(({ count, order, stride }) =>
    Array.from({ length: count }, (_, i) => drawnAt(i, count, order, stride)),
  );

function drawnAt(i: number, count: number, order: string, stride: number): number {
  if (order === "rising") return i;
  if (order === "falling") return -i;
  if (order === "sawtooth") return i % stride;
  const noise = Math.abs(Math.sin(i * 12.9898 + stride) * 43_758.5453) % 1;
  return order === "shuffled" ? noise * count : Math.exp(12 * noise);
}

function sketchOf(values: readonly number[]): QuantileSketch {
  const sketch = new QuantileSketch();
  for (const x of values) sketch.add(x);
  return sketch;
}

/** Ranks, as shares, at which `x` would stand among `sorted`. */
function rankOf(sorted: Float64Array, x: number): readonly [number, number] {
  const first = sorted.findIndex((each) => each >= x);
  const last = sorted.findLastIndex((each) => each <= x);
  return [(first < 0 ? sorted.length : first) / sorted.length, (last + 1) / sorted.length];
}

function rankError(values: readonly number[], x: number, p: number): number {
  const [low, high] = rankOf(Float64Array.from(values).sort(), x);
  return Math.max(0, low - p, p - high);
}

/** As the sketch promises: one weight per halving, and half the heaviest weight for standing in its middle. */
function promisedError(count: number): number {
  const levels = Math.ceil(Math.log2(count / EXACT_VALUES)) + 1;
  return (levels + 1) / EXACT_VALUES;
}

describe("quantile sketch", () => {
  test("few values give NumPy's quantiles, whatever their order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 80 }),
        share,
        (all, p) => {
          const sorted = all.toSorted((a, b) => a - b);
          const rank = p * (sorted.length - 1);
          const [low, high] = [sorted[Math.floor(rank)]!, sorted[Math.ceil(rank)]!];
          const expected = low + (high - low) * (rank - Math.floor(rank));
          // Values up to 50: a few float64 roundings.
          expect(Math.abs(sketchOf(all).read().quantile(p) - expected)).toBeLessThan(1e-12);
        },
      ),
    );
  });

  test("of many values the rank is off by no more than promised", () => {
    fc.assert(
      fc.property(stream, share, (all, p) => {
        expect(rankError(all, sketchOf(all).read().quantile(p), p)).toBeLessThanOrEqual(
          promisedError(all.length),
        );
      }),
      { numRuns: 60 },
    );
  });

  test("merged sketches promise what one sketch of all values does, and weigh every value", () => {
    fc.assert(
      fc.property(
        stream,
        stream,
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 50 }),
        share,
        (a, b, c, p) => {
          const merged = new QuantileSketch();
          for (const part of [a, c, b]) merged.merge(sketchOf(part));
          const all = [...a, ...b, ...c];
          expect(rankError(all, merged.read().quantile(p), p)).toBeLessThanOrEqual(promisedError(all.length));
        },
      ),
      { numRuns: 30 },
    );
  });

  test("goes on to the bit after it was saved", () => {
    fc.assert(
      fc.property(stream, share, share, (all, cut, p) => {
        const at = Math.floor(cut * all.length);
        const revived = new QuantileSketch();
        revived.restore(decodeState(encodeState(sketchOf(all.slice(0, at)).save())));
        for (const x of all.slice(at)) revived.add(x);
        expect(revived.read().quantile(p)).toBe(sketchOf(all).read().quantile(p));
      }),
      { numRuns: 20 },
    );
  });
});
