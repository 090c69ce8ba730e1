import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../../shared/random.js";
import { type Dealing, deal, dealGroups } from "../../../simulator/partition.js";

const dealings: fc.Arbitrary<Dealing> = fc.oneof(
  fc.constant<Dealing>({ kind: "iid" }),
  fc.record({
    kind: fc.constant("dirichlet" as const),
    alpha: fc.double({ min: 0.01, max: 100, noNaN: true }),
  }),
  fc.record({ kind: fc.constant("shards" as const), perDevice: fc.integer({ min: 1, max: 5 }) }),
);

const tables = fc.record({
  // NaN: a reading whose label is missing.
  labels: fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(Number.NaN)), { maxLength: 300 }),
  devices: fc.integer({ min: 1, max: 20 }),
  dealing: dealings,
  seed: fc.string(),
});

function hands({ labels, devices, dealing, seed }: typeof tables extends fc.Arbitrary<infer T> ? T : never) {
  return deal(labels, devices, { dealing, random: randomStream(seed, "partition") });
}

describe("however examples are dealt", () => {
  test("each goes to exactly one device, and every device has a hand", () => {
    fc.assert(
      fc.property(tables, (table) => {
        const dealt = hands(table);
        expect(dealt).toHaveLength(table.devices);
        expect(dealt.flat().toSorted((a, b) => a - b)).toEqual(table.labels.map((_, index) => index));
      }),
    );
  });

  test("the same seed gives the same hands", () => {
    fc.assert(
      fc.property(tables, (table) => {
        expect(hands(table)).toEqual(hands(table));
      }),
    );
  });
});

test("another seed gives other hands", () => {
  const labels = Array.from({ length: 200 }, (_, index) => index % 10);
  for (const dealing of [
    { kind: "iid" },
    { kind: "dirichlet", alpha: 1 },
    { kind: "shards", perDevice: 2 },
  ] as const) {
    const options = { labels, devices: 5, dealing };
    expect(hands({ ...options, seed: "1" })).not.toEqual(hands({ ...options, seed: "2" }));
  }
});

test("an even deal gives hands whose sizes differ by at most one", () => {
  fc.assert(
    fc.property(tables, (table) => {
      const sizes = hands({ ...table, dealing: { kind: "iid" } }).map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

test("a hand of s shards spans at most s classes more than it must: each shard is a run of the sorted labels", () => {
  const labels = Array.from({ length: 600 }, (_, index) => index % 10);
  // 20 shards of 30 of 60 examples a class: no shard crosses a class.
  const dealt = hands({ labels, devices: 10, dealing: { kind: "shards", perDevice: 2 }, seed: "1" });
  for (const hand of dealt) {
    expect(hand).toHaveLength(60);
    expect(new Set(hand.map((index) => labels[index])).size).toBeLessThanOrEqual(2);
  }
});

test("small alpha skews labels, large alpha deals every class evenly", () => {
  const labels = Array.from({ length: 10_000 }, (_, index) => index % 10);
  const largestShare = (alpha: number) => {
    const dealt = hands({ labels, devices: 10, dealing: { kind: "dirichlet", alpha }, seed: "1" });
    const shares = Array.from({ length: 10 }, (_, label) => {
      const perDevice = dealt.map((hand) => hand.filter((index) => labels[index] === label).length);
      return Math.max(...perDevice) / 1000;
    });
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  };
  // A class's largest share among ten devices: near 1 when skewed; 0.1 plus a few percent when even.
  expect(largestShare(0.05)).toBeGreaterThan(0.6);
  expect(largestShare(1000)).toBeLessThan(0.12);
});

test("next to no alpha gives each class to one device, and no device more classes than chance would", () => {
  const labels = Array.from({ length: 4000 }, (_, index) => index % 400);
  const dealt = hands({ labels, devices: 4, dealing: { kind: "dirichlet", alpha: 1e-6 }, seed: "1" });
  const classes = dealt.map((hand) => new Set(hand.map((index) => labels[index])).size);
  expect(classes.reduce((sum, count) => sum + count, 0)).toBe(400);
  // 100 of 400 expected, standard deviation 8.7: four of those either way.
  for (const count of classes) expect(Math.abs(count - 100)).toBeLessThan(35);
});

test("shards are cut from sorted labels also when some are missing: those are a class of their own", () => {
  const labels = [2, Number.NaN, 1, 2, Number.NaN, 1, 2, Number.NaN, 1];
  const dealt = hands({ labels, devices: 3, dealing: { kind: "shards", perDevice: 1 }, seed: "1" });
  const known = dealt.map((hand) => hand.map((index) => labels[index]!).join());
  expect(known.toSorted()).toEqual(["1,1,1", "2,2,2", "NaN,NaN,NaN"]);
});

test("a class may be larger than what one call takes as arguments", () => {
  const labels = new Array<number>(300_000).fill(1);
  const dealt = hands({ labels, devices: 1, dealing: { kind: "dirichlet", alpha: 1 }, seed: "1" });
  expect(dealt[0]).toHaveLength(300_000);
});

test("labels that are all different are dealt in time that grows with their number", () => {
  const labels = Array.from({ length: 100_000 }, (_, index) => index);
  const dealt = hands({ labels, devices: 3, dealing: { kind: "dirichlet", alpha: 1 }, seed: "1" });
  expect(dealt.flat()).toHaveLength(100_000);
}, 10_000);

test("whole groups are dealt round robin", () => {
  expect(dealGroups(["a", "b", "c", "d", "e"], 2)).toEqual([
    ["a", "c", "e"],
    ["b", "d"],
  ]);
});
