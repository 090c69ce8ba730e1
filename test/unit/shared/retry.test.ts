import fc from "fast-check";
import { expect, test } from "vitest";
import { randomStream } from "../../../shared/random.js";
import { Retry, retryDelays } from "../../../shared/retry.js";

const random = randomStream("seed", "retry");

function take(count: number, delays: Iterable<number>): number[] {
  const taken: number[] = [];
  for (const delay of delays) if (taken.push(delay) === count) break;
  return taken;
}

test("delays double from the first to the longest", () => {
  const plan = { firstMs: 10, maxMs: 60, jitter: 0 };
  expect(take(5, retryDelays(plan, random))).toEqual([10, 20, 40, 60, 60]);
});

test("jitter only ever adds, and at most its fraction", () => {
  const arbitrary = fc.tuple(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 0, max: 100_000 }));
  fc.assert(
    fc.property(arbitrary, ([firstMs, more]) => {
      const maxMs = firstMs + more;
      const plain = take(12, retryDelays({ firstMs, maxMs, jitter: 0 }, random));
      const jittered = take(12, retryDelays({ firstMs, maxMs, jitter: 0.2 }, random));
      jittered.forEach((delay, i) => {
        expect(delay).toBeGreaterThanOrEqual(plain[i]!);
        expect(delay).toBeLessThanOrEqual(Math.round(plain[i]! * 1.2));
      });
    }),
  );
});

test("a series that was reset begins with the first delay again", () => {
  const retry = new Retry({ firstMs: 10, maxMs: 60, jitter: 0 }, random);
  expect([retry.next(), retry.next()]).toEqual([10, 20]);
  retry.reset();
  expect(retry.next()).toBe(10);
});
