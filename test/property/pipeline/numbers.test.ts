// Laws of operators that make one number from another, against the plainest way to say the same.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PipelineRow } from "../../../shared/pipeline/types.js";
import { expectClose, naive, present, rows } from "../../support/operator-laws.js";
import { featureOf, numbers, row, stepOf } from "../../support/pipeline.js";

describe("what makes one number from another", () => {
  test("ema equals the weighted mean of the whole past", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 50 }), (all, tauMs) => {
        const { push } = featureOf("ema", { of: "x", tau: `${tauMs}ms` }, numbers("x"));
        for (const [i, now] of all.entries()) {
          const actual = push(now);
          const past = all.slice(0, i + 1).filter(({ values }) => values[0] !== null);
          if (now.values[0] === null) expect(actual).toBe("missing");
          else expectClose(actual as number[], [naiveEma(past, tauMs)]);
        }
      }),
    );
  });

  test("slope equals the least-squares line through the rows in (t - over, t]", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 60 }), (all, overMs) => {
        const written = { of: "x", over: `${overMs}ms`, per: "1ms" };
        const { push } = featureOf("slope", written, numbers("x"));
        for (const now of all) {
          const actual = push(now);
          const inside = all.filter(
            ({ timeMs, values }) =>
              timeMs > now.timeMs - overMs && timeMs <= now.timeMs && values[0] !== null,
          );
          if (now.timeMs - all[0]!.timeMs < overMs) expect(actual).toBe("warming-up");
          else if (inside.length < 2) expect(actual).toBe("missing");
          else expectClose(actual as number[], [naiveSlope(inside)]);
        }
      }),
    );
  });

  test("rates of a counter add up to all that was counted, whenever it began again", () => {
    const counted = fc.array(fc.record({ more: fc.nat(50), restarts: fc.boolean() }), {
      minLength: 2,
      maxLength: 60,
    });
    fc.assert(
      fc.property(counted, (steps) => {
        const step = stepOf("rate", { of: "x", per: "1ms", reset: true, as: "rate" }, numbers("x"));
        let shown = 0;
        let total = 0;
        steps.forEach(({ more, restarts }, i) => {
          if (i > 0) total += more;
          // A counter that shows as much again as before tells nobody that it began again.
          shown = restarts && more < shown ? more : shown + more;
          step.instance.push(row(i, shown));
        });
        const sum = step.rows.reduce((sum, { values }) => sum + Number(values[1] ?? 0), 0);
        expect(sum).toBe(total);
      }),
    );
  });

  test("diff by rows is the value minus the lagged one", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 20 }), (all, back) => {
        const { push } = featureOf("diff", { of: "x", rows: back }, numbers("x"));
        all.forEach((now, i) => {
          const [x, past] = [now.values[0], all[i - back]?.values[0]];
          const actual = push(now);
          if (i < back) expect(actual).toBe("warming-up");
          else if (typeof x !== "number" || typeof past !== "number") expect(actual).toBe("missing");
          else expect(actual).toEqual([x - past]);
        });
      }),
    );
  });
});

function naiveEma(past: readonly PipelineRow[], tauMs: number): number {
  const nowMs = past.at(-1)!.timeMs;
  // The first value weighs what none of the later ones took.
  return past.reduce((sum, { timeMs, values }, i) => {
    const sinceMs = i === 0 ? Number.POSITIVE_INFINITY : timeMs - past[i - 1]!.timeMs;
    const weight = Math.exp((timeMs - nowMs) / tauMs) * (1 - Math.exp(-sinceMs / tauMs));
    return sum + weight * Number(values[0]);
  }, 0);
}

function naiveSlope(inside: readonly PipelineRow[]): number {
  const [meanMs = 0] = naive(inside.map(({ timeMs }) => timeMs));
  const [mean = 0] = naive(present(inside));
  const over = (of: (row: PipelineRow) => number) => inside.reduce((sum, each) => sum + of(each), 0);
  return (
    over(({ timeMs, values }) => (timeMs - meanMs) * (Number(values[0]) - mean)) /
    over(({ timeMs }) => (timeMs - meanMs) ** 2)
  );
}

describe("order statistics", () => {
  test("of a rolling window are those of its values in order", () => {
    fc.assert(
      fc.property(
        rows,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 0, max: 99 }),
        (all, count, percent) => {
          const quantile = `q${`${percent}`.padStart(2, "0")}`;
          const get = [quantile, "median", "iqr", "mad"];
          const { push } = featureOf("rolling", { of: "x", rows: count, get }, numbers("x"));
          all.forEach((now, i) => {
            const actual = push(now);
            const values = present(all.slice(Math.max(0, i + 1 - count), i + 1));
            if (i + 1 < count || values.length === 0) {
              expect(typeof actual).toBe("string");
              return;
            }
            const median = naiveQuantile(values, 0.5);
            const mad = naiveQuantile(
              values.map((x) => Math.abs(x - median)),
              0.5,
            );
            const iqr = naiveQuantile(values, 0.75) - naiveQuantile(values, 0.25);
            expectClose(actual as number[], [naiveQuantile(values, percent / 100), median, iqr, mad]);
          });
        },
      ),
    );
  });

  test("hampel judges each value by the last n, as sorting them anew would", () => {
    const options = fc.record({ n: fc.integer({ min: 3, max: 15 }), k: fc.integer({ min: 1, max: 4 }) });
    fc.assert(
      fc.property(rows, options, (all, { n, k }) => {
        const step = stepOf("hampel", { of: "x", n, k }, numbers("x"));
        for (const now of all) step.instance.push(now);
        const seen: number[] = [];
        all.forEach(({ values: [x] }, i) => {
          if (typeof x !== "number") {
            expect(step.rows[i]?.values).toEqual([null]);
            return;
          }
          seen.push(x);
          const among = seen.slice(-n);
          const median = naiveQuantile(among, 0.5);
          const mad = naiveQuantile(
            among.map((each) => Math.abs(each - median)),
            0.5,
          );
          const isOutlier = among.length >= 3 && mad > 0 && Math.abs(x - median) > k * 1.4826 * mad;
          expect(step.rows[i]?.values).toEqual([isOutlier ? null : x]);
        });
      }),
    );
  });
});

function naiveQuantile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = p * (sorted.length - 1);
  const below = sorted[Math.floor(rank)]!;
  return below + (sorted[Math.ceil(rank)]! - below) * (rank % 1);
}
