// Laws of aggregation rules and server optimizers.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mean } from "../../../server/aggregate/mean.js";
import type { Aggregator, WeightedDelta } from "../../../server/aggregate/port.js";
import { aggregators } from "../../../server/aggregate/registry.js";
import { createSgd } from "../../../server/optimize/sgd.js";

const COUNT = 5;
const float = fc.float({ min: -1000, max: 1000, noNaN: true });
const delta = fc
  .array(float, { minLength: COUNT, maxLength: COUNT })
  .map((values) => Float32Array.from(values));
const update: fc.Arbitrary<WeightedDelta> = fc.record({
  delta,
  examples: fc.integer({ min: 1, max: 100_000 }),
});
const updates = fc.array(update, { minLength: 1, maxLength: 12 });

function foldAll<Partial>(rule: Aggregator<Partial>, all: readonly WeightedDelta[]): Partial {
  return all.reduce((partial, each) => rule.fold(partial, each), rule.start(COUNT));
}

// Sums of up to 12 doubles in another order differ in their last bits: 1e-12 of the largest term is generous.
function expectClose(a: Float64Array, b: Float64Array): void {
  for (let i = 0; i < COUNT; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThanOrEqual(1e-9);
}

describe.each(Object.values(aggregators))("$name", (rule) => {
  test("of equal deltas is that delta, to the bit", () => {
    fc.assert(
      fc.property(
        delta,
        fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1 }),
        (same, weights) => {
          const all = weights.map((examples) => ({ delta: same, examples }));
          const aggregate = rule.finish(foldAll(rule, all));
          expect(Float32Array.from(aggregate)).toEqual(same.map((value) => value + 0));
        },
      ),
    );
  });

  test("does not depend on the order of updates", () => {
    fc.assert(
      fc.property(updates, fc.func(fc.integer()), (all, key) => {
        const shuffled = all.toSorted((a, b) => key(a) - key(b));
        expectClose(rule.finish(foldAll(rule, all)), rule.finish(foldAll(rule, shuffled)));
      }),
    );
  });

  test("of parts merged is that of the whole", () => {
    fc.assert(
      fc.property(updates, fc.nat(12), (all, at) => {
        const merged = rule.merge(foldAll(rule, all.slice(0, at)), foldAll(rule, all.slice(at)));
        expectClose(rule.finish(merged), rule.finish(foldAll(rule, all)));
      }),
    );
  });

  test("keeps no update: changing one afterwards changes nothing", () => {
    const own = Float32Array.of(1, 2, 3, 4, 5);
    const partial = rule.fold(rule.start(COUNT), { delta: own, examples: 1 });
    own.fill(9);
    expect([...rule.finish(partial)]).toEqual([1, 2, 3, 4, 5]);
  });
});

test("the mean weighs deltas by examples", () => {
  const all = [
    { delta: Float32Array.of(1, 1, 1, 1, 1), examples: 30 },
    { delta: Float32Array.of(-1, 0, 1, 2, 3), examples: 10 },
  ];
  expect([...mean.finish(foldAll(mean, all))]).toEqual([0.5, 0.75, 1, 1.25, 1.5]);
});

describe("sgd", () => {
  test("with rate 1 adds the aggregate, rounded once", () => {
    fc.assert(
      fc.property(delta, delta, (params, step) => {
        const next = createSgd(1).apply(params, Float64Array.from(step));
        expect(next).toEqual(params.map((value, at) => Math.fround(value + step[at]!)));
      }),
    );
  });

  test("with rate 0.5 goes half the way and leaves what it was given", () => {
    const params = Float32Array.of(1, -2);
    expect(createSgd(0.5).apply(params, Float64Array.of(1, 4))).toEqual(Float32Array.of(1.5, 0));
    expect(params).toEqual(Float32Array.of(1, -2));
  });
});
