import fc from "fast-check";
import { expect, test } from "vitest";
import { RateLimit } from "../../../shared/rate-limit.js";

test("a burst may come at once, and then one per interval", () => {
  const limit = new RateLimit({ perSecond: 10, burst: 3 });
  expect([0, 0, 0, 0].map((now) => limit.take(now))).toEqual([0, 0, 0, 100]);
  expect(limit.take(99)).toBe(1);
  expect(limit.take(100)).toBe(0);
  expect(limit.take(100)).toBe(100);
});

test("a pause earns the burst again, and no more", () => {
  const limit = new RateLimit({ perSecond: 10, burst: 3 });
  for (let i = 0; i < 3; i++) limit.take(0);
  expect([0, 0, 0, 0].map(() => limit.take(60_000))).toEqual([0, 0, 0, 100]);
});

test("more together than a burst come when nothing is owed, and are paid for afterwards", () => {
  const limit = new RateLimit({ perSecond: 10, burst: 3 });
  expect(limit.take(0, 10)).toBe(0);
  expect(limit.take(0, 1)).toBe(800);
  expect(limit.take(800, 1)).toBe(0);
});

test("a clock that is set back keeps nobody waiting", () => {
  const limit = new RateLimit({ perSecond: 1, burst: 1 });
  limit.take(1e12);
  expect(limit.take(5)).toBe(1000);
  expect(limit.take(1005)).toBe(0);
});

test("without a rate everything may come", () => {
  const limit = new RateLimit({ perSecond: undefined, burst: 1 });
  for (let i = 0; i < 10_000; i++) expect(limit.take(0)).toBe(0);
});

test("in any time no more come than the burst and the rate allow", () => {
  const arrivals = fc.array(fc.nat(500), { maxLength: 200 });
  fc.assert(
    fc.property(
      arrivals,
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      (gaps, rate, burst) => {
        const limit = new RateLimit({ perSecond: rate, burst });
        let now = 0;
        const passed: number[] = [];
        for (const gap of gaps) {
          now += gap;
          if (limit.take(now) === 0) passed.push(now);
        }
        for (const [i, from] of passed.entries()) {
          for (let j = i; j < passed.length; j++) {
            // One for a message on the very border, and rounding.
            expect(j - i + 1).toBeLessThanOrEqual(burst + ((passed[j]! - from) * rate) / 1000 + 1e-6);
          }
        }
      },
    ),
  );
});
