import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../../shared/random.js";

describe("a random stream", () => {
  test("draws the same numbers for the same name", () => {
    const draw = () => {
      const random = randomStream("7", "shuffle", 3, "pump-1");
      return [random.uint32(), random.uniform(), random.integer(10), random.normal()];
    };
    expect(draw()).toEqual(draw());
  });

  test("is another one for another seed, purpose, round or device", () => {
    const names = [
      ["7", "shuffle", 3, "pump-1"],
      ["8", "shuffle", 3, "pump-1"],
      ["7", "select", 3, "pump-1"],
      ["7", "shuffle", 4, "pump-1"],
      ["7", "shuffle", 3, "pump-2"],
    ] as const;
    const first = names.map(([seed, purpose, ...parts]) => randomStream(seed, purpose, ...parts).uint32());
    expect(new Set(first).size).toBe(names.length);
  });

  test("parts do not run together", () => {
    expect(randomStream("1", "a", "b", "c").uint32()).not.toBe(randomStream("1", "a", "bc").uint32());
  });

  test("keeps integers below their bound and uniforms in [0, 1)", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 2 ** 31 }), (seed, bound) => {
        const random = randomStream(seed, "bounds");
        const integer = random.integer(bound);
        const uniform = random.uniform();
        expect(Number.isInteger(integer) && integer >= 0 && integer < bound).toBe(true);
        expect(uniform >= 0 && uniform < 1).toBe(true);
      }),
    );
  });

  test("shuffles to a permutation, in place", () => {
    const items = Array.from({ length: 100 }, (_, index) => index);
    const shuffled = randomStream("1", "shuffle").shuffle(items);
    expect(shuffled).toBe(items);
    expect(shuffled).not.toEqual([...shuffled].sort((a, b) => a - b));
    expect([...shuffled].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  test("normal draws have mean 0 and variance 1", () => {
    const random = randomStream("1", "normal");
    const draws = Array.from({ length: 20_000 }, () => random.normal());
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
    // Five standard errors: 5 / sqrt(20 000) for the mean, 5 x sqrt(2 / 20 000) for the variance.
    expect(Math.abs(mean)).toBeLessThan(0.036);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
  });
});
