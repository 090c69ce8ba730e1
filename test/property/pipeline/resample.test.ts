// Laws of the signal between readings, against looking at every single millisecond.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PipelineRow } from "../../../shared/pipeline/types.js";
import { numbers, row, stepOf } from "../../support/pipeline.js";

const drawn = fc.record({
  stepMs: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 60 })),
  values: fc.array(fc.option(fc.integer({ min: -100, max: 100 }), { freq: 4 }), {
    minLength: 2,
    maxLength: 2,
  }),
});

/** Rows of two fields, sometimes missing, now close together, now far apart. */
const rows = fc.array(drawn, { minLength: 1, maxLength: 40 }).map((steps) => {
  let timeMs = 0;
  return steps.map(({ stepMs, values }) => {
    timeMs += stepMs;
    return row(timeMs, ...values);
  });
});

const spans = fc.record({
  everyMs: fc.integer({ min: 1, max: 15 }),
  spanMs: fc.integer({ min: 1, max: 40 }),
});

interface Known {
  readonly timeMs: number;
  readonly x: number;
}

const knownOf = (all: readonly PipelineRow[], field: number): readonly Known[] =>
  all.flatMap(({ timeMs, values }) =>
    typeof values[field] === "number" ? [{ timeMs, x: values[field] }] : [],
  );

/** The signal at a time, undefined where there is none. */
type Signal = (known: readonly Known[], timeMs: number, spanMs: number) => number | undefined;

const held: Signal = (known, timeMs, spanMs) => {
  const last = known.findLast((each) => each.timeMs <= timeMs);
  return last !== undefined && timeMs < last.timeMs + spanMs ? last.x : undefined;
};

const line: Signal = (known, timeMs, spanMs) => {
  const before = known.findLast((each) => each.timeMs <= timeMs);
  const after = known.find((each) => each.timeMs >= timeMs);
  if (before === undefined || after === undefined) return undefined;
  if (after.timeMs === before.timeMs) return before.x;
  if (after.timeMs - before.timeMs > spanMs) return undefined;
  return before.x + ((after.x - before.x) * (timeMs - before.timeMs)) / (after.timeMs - before.timeMs);
};

/** Mean over a bin, from the middles of its milliseconds: exact for what is straight between whole ones. */
function meanOf(signal: Signal, known: readonly Known[], startMs: number, everyMs: number, spanMs: number) {
  const seen = Array.from({ length: everyMs }, (_, i) => signal(known, startMs + i + 0.5, spanMs));
  const values = seen.filter((x) => x !== undefined);
  return values.length === 0 ? null : values.reduce((sum, x) => sum + x, 0) / values.length;
}

type Expected = (known: readonly Known[], startMs: number) => number | null;

/** Runs the step with watermarks now and then, and compares every bin of every field. */
function expectBins(
  all: readonly PipelineRow[],
  everyMs: number,
  { written, ticks, expected }: { written: object; ticks: Iterator<boolean>; expected: Expected },
) {
  const step = stepOf("resample", { every: `${everyMs}ms`, ...written }, numbers("x", "y"));
  let promisedMs = Number.NEGATIVE_INFINITY;
  for (const now of all) {
    if (ticks.next().value) promisedMs = step.instance.advance(now.timeMs);
    const before = step.rows.length;
    step.instance.push(now);
    expect(step.rows.slice(before).every(({ timeMs }) => timeMs >= promisedMs)).toBe(true);
  }
  step.instance.flush();
  const out = new Map(step.rows.map((each) => [each.timeMs, each]));
  expect(out.size).toBe(step.rows.length);
  for (let startMs = 0; startMs <= all.at(-1)!.timeMs; startMs += everyMs) {
    for (const field of [0, 1]) {
      const known = knownOf(all, field);
      const bin = out.get(startMs);
      const wanted = expected(known, startMs);
      const actual = bin?.values[field] ?? null;
      if (wanted === null || actual === null) {
        expect(actual).toBe(wanted);
        continue;
      }
      // Sums of up to 15 products of numbers up to 100, in another order.
      expect(Math.abs(Number(actual) - wanted)).toBeLessThan(1e-9);
      const isMeasured = known.some(({ timeMs }) => timeMs >= startMs && timeMs < startMs + everyMs);
      expect(bin?.filled?.[field] ?? false).toBe(!isMeasured);
    }
  }
}

const ticks = fc.infiniteStream(fc.boolean());

describe("resample", () => {
  test("time_mean with hold is the mean of what held, millisecond by millisecond", () => {
    fc.assert(
      fc.property(rows, spans, ticks, (all, { everyMs, spanMs }, ticks) => {
        expectBins(all, everyMs, {
          written: { agg: "time_mean", fill: { hold: `${spanMs}ms` } },
          ticks,
          expected: (known, startMs) => meanOf(held, known, startMs, everyMs, spanMs),
        });
      }),
    );
  });

  test("time_mean with linear is the mean of the line, millisecond by millisecond", () => {
    fc.assert(
      fc.property(rows, spans, ticks, (all, { everyMs, spanMs }, ticks) => {
        expectBins(all, everyMs, {
          written: { agg: "time_mean", fill: { linear: `${spanMs}ms` } },
          ticks,
          expected: (known, startMs) => meanOf(line, known, startMs, everyMs, spanMs),
        });
      }),
    );
  });

  test("linear is the line at each bin's start", () => {
    fc.assert(
      fc.property(rows, spans, ticks, (all, { everyMs, spanMs }, ticks) => {
        expectBins(all, everyMs, {
          written: { agg: "linear", fill: { linear: `${spanMs}ms` } },
          ticks,
          expected: (known, startMs) => line(known, startMs, spanMs) ?? null,
        });
      }),
    );
  });

  test("a watermark that runs ahead changes no row, and rows come no later than it is due", () => {
    const kinds = fc.constantFrom({ hold: "17ms" }, { linear: "23ms" });
    fc.assert(
      fc.property(rows, kinds, fc.integer({ min: 1, max: 9 }), (all, fill, everyMs) => {
        const step = stepOf("resample", { every: `${everyMs}ms`, agg: "time_mean", fill }, numbers("x", "y"));
        let promisedMs = Number.NEGATIVE_INFINITY;
        for (const now of all) {
          for (let watermarkMs = now.timeMs - 3; watermarkMs <= now.timeMs; watermarkMs++) {
            const [before, dueMs] = [step.rows.length, step.instance.dueMs()];
            const nextMs = step.instance.advance(watermarkMs);
            if (dueMs > watermarkMs) expect(step.rows).toHaveLength(before);
            expect(step.rows.slice(before).every(({ timeMs }) => timeMs >= promisedMs)).toBe(true);
            promisedMs = Math.max(promisedMs, nextMs);
          }
          step.instance.push(now);
        }
      }),
    );
  });
});
