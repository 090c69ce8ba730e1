import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { splitOf } from "../../../shared/pipeline/split.js";
import type { SplitSpec } from "../../../shared/task/task.js";

const spec = fc.record({
  fromMs: fc.integer({ min: 0, max: 2_000 }),
  share: fc.double({ min: 0, max: 0.5, noNaN: true }),
  blockMs: fc.integer({ min: 1, max: 300 }),
  gapMs: fc.integer({ min: 0, max: 100 }),
});

function build({
  fromMs,
  share,
  blockMs,
  gapMs,
}: {
  fromMs: number;
  share: number;
  blockMs: number;
  gapMs: number;
}): SplitSpec {
  return { test: { kind: "from", fromMs }, validation: { share, by: "time", blockMs }, gapMs };
}

const side = (split: SplitSpec, timeMs: number, aheadMs: number) =>
  splitOf(split, { entity: "a", timeMs, untilMs: timeMs + aheadMs, sessionMs: timeMs, test: false });

describe("split", () => {
  test("examples of different sides are at least the gap apart, and no label lies where another side's rows do", () => {
    fc.assert(
      fc.property(spec, fc.integer({ min: 0, max: 100 }), (drawn, ahead) => {
        const split = build(drawn);
        const aheadMs = Math.min(ahead, drawn.gapMs);
        const times = Array.from({ length: 700 }, (_, i) => i * 3);
        const kept = times
          .map((timeMs) => ({ timeMs, side: side(split, timeMs, aheadMs) }))
          .filter((at) => at.side !== "gap");
        for (let i = 1; i < kept.length; i++) {
          const [before, after] = [kept[i - 1]!, kept[i]!];
          if (before.side === after.side) continue;
          expect(after.timeMs - before.timeMs).toBeGreaterThanOrEqual(drawn.gapMs);
          expect(before.timeMs + aheadMs).toBeLessThanOrEqual(after.timeMs);
        }
      }),
    );
  });

  test("where test rows end every block, the same holds", () => {
    fc.assert(
      fc.property(
        spec,
        fc.integer({ min: 0, max: 100 }),
        fc.double({ min: 0.05, max: 0.5, noNaN: true }),
        fc.integer({ min: 10, max: 400 }),
        (drawn, ahead, share, blockMs) => {
          const split: SplitSpec = { ...build(drawn), test: { kind: "last", share, blockMs } };
          const aheadMs = Math.min(ahead, drawn.gapMs);
          const kept = Array.from({ length: 700 }, (_, i) => i * 3)
            .map((timeMs) => ({ timeMs, side: side(split, timeMs, aheadMs) }))
            .filter((at) => at.side !== "gap");
          for (let i = 1; i < kept.length; i++) {
            const [before, after] = [kept[i - 1]!, kept[i]!];
            if (before.side === after.side) continue;
            expect(after.timeMs - before.timeMs).toBeGreaterThanOrEqual(drawn.gapMs);
            expect(before.timeMs + aheadMs).toBeLessThanOrEqual(after.timeMs);
          }
        },
      ),
    );
  });

  test("test is everything from its first moment on, and nothing before it", () => {
    fc.assert(
      fc.property(spec, fc.integer({ min: 0, max: 4_000 }), (drawn, timeMs) => {
        expect(side(build(drawn), timeMs, 0) === "test").toBe(timeMs >= drawn.fromMs);
      }),
    );
  });

  test("over many blocks validation has its share, give or take one block", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 0.5, noNaN: true }),
        fc.integer({ min: 0, max: 1e6 }),
        (share, first) => {
          const split: SplitSpec = {
            test: { kind: "none" },
            validation: { share, by: "time", blockMs: 10 },
            gapMs: 0,
          };
          const blocks = Array.from({ length: 500 }, (_, i) => side(split, (first + i) * 10, 0));
          const validation = blocks.filter((each) => each === "validation").length;
          expect(Math.abs(validation - 500 * share)).toBeLessThanOrEqual(1 + 1e-6);
        },
      ),
    );
  });
});
