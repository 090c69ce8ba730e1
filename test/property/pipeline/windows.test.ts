// Laws of windows, each kind against the plainest way to say the same.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PipelineRow } from "../../../shared/pipeline/types.js";
import { numbers, row, stepOf } from "../../support/pipeline.js";

/** Rows of one number, sometimes missing, in rising time, from before 1970 on. */
const rows = fc
  .tuple(
    fc.integer({ min: -400, max: 50 }),
    fc.array(
      fc.record({
        stepMs: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 60 })),
        x: fc.option(fc.integer({ min: -100, max: 100 }), { freq: 6 }),
      }),
      { minLength: 1, maxLength: 100 },
    ),
  )
  .map(([startMs, drawn]) => {
    let timeMs = startMs;
    return drawn.map(({ stepMs, x }) => {
      timeMs += stepMs;
      return row(timeMs, x);
    });
  });

const span = fc.integer({ min: 1, max: 60 });

const names = ["count", "sum", "first", "last", "mean", "std", "median", "q90", "slope"];

/** All of `names`, computed at once. */
function naive(inside: readonly PipelineRow[]): readonly (number | null)[] {
  const points = inside.flatMap(({ timeMs, values: [x] }) =>
    typeof x === "number" ? [{ t: timeMs / 1_000, x }] : [],
  );
  if (points.length === 0) return [0, ...names.slice(1).map(() => null)];
  const xs = points.map(({ x }) => x);
  const mean = average(xs);
  const meanTime = average(points.map(({ t }) => t));
  const timeM2 = sumOf(points.map(({ t }) => (t - meanTime) ** 2));
  const products = sumOf(points.map(({ t, x }) => (t - meanTime) * (x - mean)));
  const order = xs.toSorted((a, b) => a - b);
  return [
    ...[xs.length, sumOf(xs), xs[0]!, xs.at(-1)!, mean],
    Math.sqrt(average(xs.map((x) => (x - mean) ** 2))),
    ...[quantile(order, 0.5), quantile(order, 0.9)],
    points.length > 1 ? products / timeM2 : null,
  ];
}

const sumOf = (xs: readonly number[]) => xs.reduce((sum, x) => sum + x, 0);
const average = (xs: readonly number[]) => sumOf(xs) / xs.length;

function quantile(sorted: readonly number[], p: number): number {
  const rank = p * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(rank)]!, sorted[Math.ceil(rank)]!];
  return low + (high - low) * (rank - Math.floor(rank));
}

function expectRows(
  actual: readonly PipelineRow[],
  expected: readonly (readonly [number, readonly PipelineRow[]])[],
) {
  expect(actual.map(({ timeMs }) => timeMs)).toEqual(expected.map(([timeMs]) => timeMs));
  actual.forEach(({ values }, i) => {
    naive(expected[i]![1]).forEach((value, at) => {
      const got = values[at]!;
      if (value === null) expect(got, names[at]).toBeNull();
      // Float64, values up to 100; slopes up to 200 per ms, so per second a thousand times that.
      else expect(Math.abs(Number(got) - value), names[at]).toBeLessThan(names[at] === "slope" ? 1e-5 : 1e-9);
    });
  });
}

/** Pushed row by row; between some of them the watermark comes by. */
function run(written: object, all: readonly PipelineRow[], ticks: Iterator<boolean>): PipelineRow[] {
  const step = stepOf("window", { get: { x: names }, ...written }, numbers("x"));
  let promisedMs = Number.NEGATIVE_INFINITY;
  for (const now of all) {
    const before = step.rows.length;
    if (ticks.next().value === true) {
      const dueMs = step.instance.dueMs();
      const next = step.instance.advance(now.timeMs);
      if (dueMs > now.timeMs) expect(step.rows).toHaveLength(before);
      expect(next).toBeGreaterThanOrEqual(promisedMs);
      promisedMs = next;
    }
    const after = step.rows.length;
    step.instance.push(now);
    for (const { timeMs } of step.rows.slice(after)) expect(timeMs).toBeGreaterThanOrEqual(promisedMs);
  }
  step.instance.flush();
  return step.rows;
}

const ticks = fc.infiniteStream(fc.boolean());

describe("each kind of window equals the naive one, whenever the watermark comes by", () => {
  test("hopping over time, with an offset, before and after 1970", () => {
    fc.assert(
      fc.property(rows, span, span, span, ticks, (all, a, b, offsetMs, stream) => {
        const [everyMs, overMs] = [Math.min(a, b), Math.max(a, b)];
        const written = { over: `${overMs}ms`, every: `${everyMs}ms`, offset: `${offsetMs}ms` };
        const starts = new Set<number>();
        for (const { timeMs } of all) {
          const last = Math.floor((timeMs - offsetMs) / everyMs) * everyMs + offsetMs;
          for (let start = last; start > timeMs - overMs; start -= everyMs) starts.add(start);
        }
        const expected = [...starts]
          .toSorted((x, y) => x - y)
          .map(
            (start) =>
              [start, all.filter(({ timeMs }) => timeMs >= start && timeMs < start + overMs)] as const,
          );
        expectRows(run(written, all, stream), expected);
      }),
    );
  });

  test("over rows", () => {
    fc.assert(
      fc.property(rows, span, span, ticks, (all, a, b, stream) => {
        const [every, size] = [Math.min(a, b), Math.max(a, b)];
        const expected: (readonly [number, readonly PipelineRow[]])[] = [];
        for (let start = 0; start + size <= all.length; start += every)
          expected.push([all[start]!.timeMs, all.slice(start, start + size)]);
        expectRows(run({ rows: size, every }, all, stream), expected);
      }),
    );
  });

  test("sliding", () => {
    fc.assert(
      fc.property(rows, span, ticks, (all, overMs, stream) => {
        const expected = all.map(
          (now) =>
            [
              now.timeMs,
              all.filter(({ timeMs }) => timeMs > now.timeMs - overMs && timeMs <= now.timeMs),
            ] as const,
        );
        expectRows(run({ sliding: `${overMs}ms` }, all, stream), expected);
      }),
    );
  });

  test("sessions", () => {
    fc.assert(
      fc.property(rows, span, span, ticks, (all, a, b, stream) => {
        const [gapMs, maxMs] = [Math.min(a, b), Math.max(a, b)];
        const sessions: PipelineRow[][] = [];
        for (const now of all) {
          const open = sessions.at(-1);
          const isOver =
            open === undefined ||
            now.timeMs - open.at(-1)!.timeMs >= gapMs ||
            now.timeMs - open[0]!.timeMs >= maxMs;
          if (isOver) sessions.push([now]);
          else open.push(now);
        }
        const expected = sessions.map((session) => [session[0]!.timeMs, session] as const);
        expectRows(run({ session: { gap: `${gapMs}ms`, max: `${maxMs}ms` } }, all, stream), expected);
      }),
    );
  });

  test("while a condition holds", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: -50, max: 50 }), ticks, (all, above, stream) => {
        const windows: PipelineRow[][] = [];
        let open: PipelineRow[] | undefined;
        for (const now of all) {
          const [x] = now.values;
          const isIn = x === null ? open !== undefined : Number(x) > above;
          if (!isIn) open = undefined;
          else if (open === undefined) {
            open = [now];
            windows.push(open);
          } else open.push(now);
        }
        const expected = windows.map((window) => [window[0]!.timeMs, window] as const);
        expectRows(run({ while: { of: "x", above } }, all, stream), expected);
      }),
    );
  });
});

describe("early rows", () => {
  test("with each row hold what its window holds so far", () => {
    fc.assert(
      fc.property(rows, span, ticks, (all, overMs, stream) => {
        const windowOf = ({ timeMs }: PipelineRow) => Math.floor(timeMs / overMs);
        const expected = all.map((now, i) => {
          const inside = all.slice(0, i + 1).filter((each) => windowOf(each) === windowOf(now));
          return [now.timeMs, inside] as const;
        });
        expectRows(run({ over: `${overMs}ms`, emit: "each" }, all, stream), expected);
      }),
    );
  });

  test("of one slice per window are the windows themselves", () => {
    fc.assert(
      fc.property(rows, span, ticks, ticks, (all, overMs, one, other) => {
        const over = `${overMs}ms`;
        expect(run({ over, emit: { every: over } }, all, one)).toEqual(run({ over }, all, other));
      }),
    );
  });

  test("come in strictly rising time, the last of each window holding all of it", () => {
    fc.assert(
      fc.property(rows, span, span, ticks, ticks, (all, a, b, one, other) => {
        const [everyMs, overMs] = [Math.min(a, b), Math.max(a, b)];
        const over = `${overMs}ms`;
        const early = run({ over, emit: { every: `${everyMs}ms` } }, all, one);
        early.slice(1).forEach(({ timeMs }, i) => {
          expect(timeMs).toBeGreaterThan(early[i]!.timeMs);
        });
        const lastOf = new Map(early.map((each) => [Math.floor(each.timeMs / overMs), each.values]));
        expect([...lastOf.values()]).toEqual(run({ over }, all, other).map(({ values }) => values));
      }),
    );
  });
});
