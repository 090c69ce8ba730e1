// Laws of operators that look back, and of windows and grids, against the plainest way to say the same.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Moments } from "../../../shared/pipeline/moments.js";
import { SlidingMoments } from "../../../shared/pipeline/sliding.js";
import type { PipelineRow } from "../../../shared/pipeline/types.js";
import { expectClose, get, naive, present, rows } from "../../support/operator-laws.js";
import { featureOf, numbers, row, stepOf } from "../../support/pipeline.js";

describe("rolling", () => {
  test("over time equals the statistics of the rows in (t - over, t]", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 60 }), (all, overMs) => {
        const { push } = featureOf("rolling", { of: "x", over: `${overMs}ms`, get }, numbers("x"));
        for (const now of all) {
          const actual = push(now);
          const values = present(
            all.filter(({ timeMs }) => timeMs > now.timeMs - overMs && timeMs <= now.timeMs),
          );
          if (now.timeMs - all[0]!.timeMs < overMs) expect(actual).toBe("warming-up");
          else if (values.length === 0) expect(actual).toBe("missing");
          else expectClose(actual as number[], naive(values));
        }
      }),
    );
  });

  test("over rows equals the statistics of the last n rows", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 30 }), (all, count) => {
        const { push } = featureOf("rolling", { of: "x", rows: count, get }, numbers("x"));
        all.forEach((now, i) => {
          const actual = push(now);
          const values = present(all.slice(Math.max(0, i + 1 - count), i + 1));
          if (i + 1 < count) expect(actual).toBe("warming-up");
          else if (values.length === 0) expect(actual).toBe("missing");
          else expectClose(actual as number[], naive(values));
        });
      }),
    );
  });

  test("nothing drifts: after a huge value has left, no trace of it stays", () => {
    const window = new SlidingMoments();
    const moments = new Moments();
    for (let i = 0; i < 200_000; i++) {
      window.push(i % 1_000 === 0 ? 1e15 : (i % 7) / 10);
      if (window.size > 7) window.shift();
      if (i % 1_000 < 500) continue;
      window.read(moments);
      // Seven values 0, 0.1 .. 0.6 in some order: a few float64 roundings of 1e-16 each.
      expect(Math.abs(moments.mean - 0.3)).toBeLessThan(1e-15);
      expect(Math.abs(moments.std - 0.2)).toBeLessThan(1e-15);
    }
  });
});

describe("lag", () => {
  test("by time equals a search for the row at exactly t - by", () => {
    fc.assert(
      fc.property(
        rows,
        fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
        (all, lags) => {
          const { push } = featureOf("lag", { of: "x", by: lags.map((ms) => `${ms}ms`) }, numbers("x"));
          for (const now of all) {
            const past = lags.map(
              (ms) => all.find(({ timeMs }) => timeMs === now.timeMs - ms)?.values[0] ?? null,
            );
            const actual = push(now);
            if (past.every((x) => x !== null)) expect(actual).toEqual(past);
            else expect(typeof actual).toBe("string");
          }
        },
      ),
    );
  });

  test("by rows equals looking back in the list", () => {
    fc.assert(
      fc.property(
        rows,
        fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
        (all, lags) => {
          const { push } = featureOf("lag", { of: "x", rows: lags }, numbers("x"));
          all.forEach((now, i) => {
            const past = lags.map((lag) => all[i - lag]?.values[0] ?? null);
            const actual = push(now);
            if (past.every((x) => x !== null)) expect(actual).toEqual(past);
            else expect(actual).toBe(i < Math.max(...lags) ? "warming-up" : "missing");
          });
        },
      ),
    );
  });
});

describe("window", () => {
  test("each row lands in every window that covers it and in no other, whenever the watermark comes by", () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }));
    fc.assert(
      fc.property(rows, sizes, fc.infiniteStream(fc.boolean()), (all, [a, b], ticks) => {
        const [everyMs, overMs] = [Math.min(a, b), Math.max(a, b)];
        const step = stepOf(
          "window",
          { over: `${overMs}ms`, every: `${everyMs}ms`, get: { x: get } },
          numbers("x"),
        );
        for (const now of all) {
          if (ticks.next().value) step.instance.advance(now.timeMs);
          step.instance.push(now);
        }
        step.instance.flush();
        const starts = windowStarts(all, overMs, everyMs);
        expect(step.rows.map(({ timeMs }) => timeMs)).toEqual(starts);
        for (const out of step.rows) {
          const inside = all.filter(({ timeMs }) => timeMs >= out.timeMs && timeMs < out.timeMs + overMs);
          const values = present(inside);
          if (values.length === 0) expect(out.values).toEqual([null, null, null, null, 0]);
          // Float64 sums of up to 20 integers up to 1000, in another order.
          else expectClose(out.values, naive(values), 1e-9);
        }
      }),
    );
  });

  test("its promise holds: no row comes out before the watermark it last answered", () => {
    fc.assert(
      fc.property(rows, fc.constantFrom("window", "resample", "linear"), (all, kind) => {
        const written = {
          window: { over: "9ms", every: "4ms", get: { x: ["mean"] } },
          resample: { every: "5ms", fill: { hold: "12ms" } },
          linear: { every: "5ms", fill: { linear: "15ms" } },
        }[kind];
        const step = stepOf(kind === "window" ? "window" : "resample", written, numbers("x"));
        let promisedMs = Number.NEGATIVE_INFINITY;
        for (const now of all) {
          const before = step.rows.length;
          const dueMs = step.instance.dueMs();
          const next = step.instance.advance(now.timeMs);
          if (dueMs > now.timeMs) expect(step.rows.length).toBe(before);
          expect(next).toBeGreaterThanOrEqual(promisedMs);
          step.instance.push(now);
          expect(step.rows.slice(before).every(({ timeMs }) => timeMs >= promisedMs)).toBe(true);
          promisedMs = next;
        }
      }),
    );
  });
});

function windowStarts(all: readonly PipelineRow[], overMs: number, everyMs: number): number[] {
  const starts = new Set<number>();
  for (const { timeMs } of all) {
    const last = Math.floor(timeMs / everyMs) * everyMs;
    for (let start = last; start > timeMs - overMs; start -= everyMs) starts.add(start);
  }
  return [...starts].toSorted((a, b) => a - b);
}

describe("resample", () => {
  test("rows lie on the grid, in order, within the data, and held values are never older than allowed", () => {
    fc.assert(
      fc.property(
        rows,
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 40 }),
        (all, everyMs, holdMs) => {
          const step = stepOf(
            "resample",
            { every: `${everyMs}ms`, fill: { hold: `${holdMs}ms` } },
            numbers("x"),
          );
          for (const now of all) step.instance.push(now);
          step.instance.flush();
          const binOf = (timeMs: number) => Math.floor(timeMs / everyMs) * everyMs;
          const measured = new Map(
            all
              .filter(({ values }) => values[0] !== null)
              .map(({ timeMs, values }) => [binOf(timeMs), values[0]]),
          );
          const expected: PipelineRow[] = [];
          for (let bin = binOf(all[0]!.timeMs); bin <= all.at(-1)!.timeMs; bin += everyMs) {
            const source = [...measured.keys()].filter((at) => at <= bin && bin - at <= holdMs).at(-1);
            if (source === undefined) continue;
            expected.push({
              ...row(bin, measured.get(source)!),
              filled: source === bin ? undefined : [true],
            });
          }
          expect(step.rows).toEqual(expected);
        },
      ),
    );
  });

  test("linear fill lies on the line between its measured neighbours, and only in gaps within the limit", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 2, max: 30 }), (all, gapMs) => {
        const step = stepOf("resample", { every: "1ms", fill: { linear: `${gapMs}ms` } }, numbers("x"));
        for (const now of all) step.instance.push(now);
        step.instance.flush();
        const measured = all.filter(({ values }) => values[0] !== null);
        const expected = measured.flatMap((from, i) => [from, ...lineTo(from, measured[i + 1], gapMs)]);
        expect(step.rows.map(({ timeMs }) => timeMs)).toEqual(expected.map(({ timeMs }) => timeMs));
        step.rows.forEach((out, i) => {
          expect(Math.abs((out.values[0] as number) - (expected[i]!.values[0] as number))).toBeLessThan(1e-9);
        });
      }),
    );
  });
});

function lineTo(from: PipelineRow, to: PipelineRow | undefined, gapMs: number): PipelineRow[] {
  if (to === undefined || to.timeMs - from.timeMs > gapMs) return [];
  const [a, b] = [from.values[0] as number, to.values[0] as number];
  return Array.from({ length: to.timeMs - from.timeMs - 1 }, (_, i) =>
    row(from.timeMs + i + 1, a + ((b - a) * (i + 1)) / (to.timeMs - from.timeMs)),
  );
}
