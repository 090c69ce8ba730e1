// Steps that judge values in their place: clip, change, stuck, spike, hampel, median, scale.

import { describe, expect, test } from "vitest";
import { numbers, row, stepOf } from "../../../../support/pipeline.js";

const MINUTE_MS = 60_000;

interface Cleaned {
  readonly values: readonly (number | null)[];
  readonly times: readonly number[];
  readonly filled: readonly boolean[];
  readonly counts: Readonly<Record<string, number>>;
}

/** What becomes of the values of `x`, one a minute; the data ends after them. */
function clean(name: string, written: object, xs: readonly (number | null)[]): Cleaned {
  const { instance, rows, counters } = stepOf(name, { of: "x", ...written }, numbers("x"));
  xs.forEach((x, i) => {
    instance.push(row(i * MINUTE_MS, x));
  });
  instance.flush();
  return {
    values: rows.map(({ values }) => values[0] as number | null),
    times: rows.map(({ timeMs }) => timeMs / MINUTE_MS),
    filled: rows.map(({ filled }) => filled?.[0] === true),
    counts: counters.toJSON(),
  };
}

describe("clip", () => {
  test("puts what lies outside onto the limit, and counts it", () => {
    const { values, filled, counts } = clean("clip", { min: 0, max: 100 }, [-1, 0, 50, null, 100, 1e9]);
    expect(values).toEqual([0, 0, 50, null, 100, 100]);
    expect(filled).not.toContain(true);
    expect(counts).toEqual({ "clip.clipped": 2 });
  });
});

describe("scale", () => {
  test("multiplies, then adds", () => {
    expect(clean("scale", { times: 1.8, plus: 32 }, [100, -40, null]).values).toEqual([212, -40, null]);
    expect(() => clean("scale", {}, [])).toThrow("expected times, plus or both");
  });

  test("what becomes too large is missing and counted", () => {
    const { values, counts } = clean("scale", { times: 1e18 }, [1, 2]);
    expect(values).toEqual([1e18, null]);
    expect(counts).toEqual({ "scale.not-finite": 1 });
  });
});

describe("change", () => {
  test("refuses what is reached too fast from the last value that passed, and believes it in time", () => {
    const { values, counts } = clean(
      "change",
      { max: 5, per: "1m" },
      [20, 24, 40, 24, 50, 50, 50, 50, 50, 50, 50],
    );
    expect(values).toEqual([20, 24, null, 24, null, null, null, null, null, 50, 50]);
    expect(counts).toEqual({ "change.too-fast": 6 });
  });
});

describe("stuck", () => {
  test("a value is missing from `for` after it was first said until it changes", () => {
    const { values, counts } = clean("stuck", { for: "2m" }, [1, 5, 5, 5, null, 5, 6, 6]);
    expect(values).toEqual([1, 5, 5, null, null, null, 6, 6]);
    expect(counts).toEqual({ "stuck.stuck": 2 });
  });

  test("a small change may be none, but it does not creep", () => {
    const creeping = [0, 0.1, 0.2, 0.3, 0.4];
    expect(clean("stuck", { for: "1m", within: 0.25 }, creeping).values).toEqual([0, null, null, 0.3, null]);
  });
});

describe("spike", () => {
  test("a single value that sticks out from both neighbours is missing; steps and ramps pass", () => {
    const xs = [0, 0, 9, 0, 0, 9, 9, 18, 27, 27, 20, 27, null, 99, null];
    const { values, times, counts } = clean("spike", { max: 6 }, xs);
    expect(values).toEqual([0, 0, null, 0, 0, 9, 9, 18, 27, 27, null, 27, null, 99, null]);
    expect(times).toEqual(xs.map((_, i) => i));
    expect(counts).toEqual({ "spike.spikes": 2 });
  });

  test("a row waits for the next one, and the watermark with it", () => {
    const { instance, rows } = stepOf("spike", { of: "x", max: 1 }, numbers("x"));
    instance.push(row(10, 1));
    expect(instance.advance(15)).toBe(10);
    expect(rows).toEqual([]);
    instance.push(row(20, 1));
    expect(rows).toEqual([row(10, 1)]);
    expect(instance.advance(25)).toBe(20);
  });
});

describe("hampel", () => {
  // Outliers at 4 and 8, worked out with SciPy's median_abs_deviation(scale="normal") over each window.
  const xs = [1, 1.1, 0.9, 1.05, 9, 1, 0.95, 1.1, -5, 1, 1.02, 0.98];
  const replaced = (values: readonly (number | null)[]) => values.flatMap((x, i) => (x === xs[i] ? [] : [i]));

  test("over the last five values it finds the outliers and nothing else", () => {
    const { values, counts } = clean("hampel", { n: 5, k: 3, min: 3 }, xs);
    expect(replaced(values)).toEqual([4, 8]);
    expect([values[4], values[8]]).toEqual([null, null]);
    expect(counts).toEqual({ "hampel.outliers": 2 });
  });

  test("over a span of time it sees the values of (t - over, t]", () => {
    expect(replaced(clean("hampel", { over: "5m" }, xs).values)).toEqual([4, 8]);
  });

  test("centered, it looks ahead, puts the median instead, and marks it as filled", () => {
    const { values, times, filled } = clean("hampel", { centered: 3, replace: "median" }, xs);
    expect(values).toEqual([1, 1.1, 0.9, 1.05, 1.05, 1, 0.95, 1.1, 1.0, 1, 1.02, 0.98]);
    expect(times).toEqual(xs.map((_, i) => i));
    expect(filled.flatMap((is, i) => (is ? [i] : []))).toEqual([4, 8]);
  });

  test("centered, a row comes out once half the window has followed", () => {
    const { instance, rows } = stepOf("hampel", { of: "x", centered: 5 }, numbers("x"));
    for (const timeMs of [1, 2, 3]) instance.push(row(timeMs, 0));
    expect(rows).toEqual([row(1, 0)]);
    expect(instance.advance(4)).toBe(2);
    instance.flush();
    expect(rows).toHaveLength(3);
  });

  test("clip leaves the end of what is allowed", () => {
    // Of 1, 2, 3, 4, 100 the median is 3, the MAD 1.
    const { values } = clean("hampel", { n: 5, k: 2, replace: "clip" }, [1, 2, 3, 4, 100]);
    expect(values[4]).toBeCloseTo(3 + 2 * 1.4826, 12);
  });

  test("where most values are equal nothing is judged, unless a floor says how much is too much", () => {
    const flat = [5, 5, 5, 5, 5.1, 9];
    expect(clean("hampel", { n: 5 }, flat).values).toEqual(flat);
    expect(clean("hampel", { n: 5, floor: 0.1 }, flat).values).toEqual([5, 5, 5, 5, 5.1, null]);
  });

  test("with fewer than `min` values nothing is judged, and missing ones count for nothing", () => {
    expect(clean("hampel", { n: 9, min: 4 }, [1, null, 1.1, null, 99]).values).toEqual([
      1,
      null,
      1.1,
      null,
      99,
    ]);
    expect(clean("hampel", { n: 9, min: 4 }, [1, 1.1, null, 0.9, 99]).values).toEqual([
      1,
      1.1,
      null,
      0.9,
      null,
    ]);
  });

  test("one window, and an odd one if centered", () => {
    expect(() => clean("hampel", {}, [])).toThrow("exactly one of");
    expect(() => clean("hampel", { n: 5, over: "1h" }, [])).toThrow("exactly one of");
    expect(() => clean("hampel", { centered: 4 }, [])).toThrow("expected an odd number of rows");
  });
});

describe("median", () => {
  test("is that of the last n values, missing ones not counted", () => {
    const { values, filled } = clean("median", { n: 3 }, [1, 9, 2, null, 8, 7]);
    expect(values).toEqual([1, 5, 2, null, 8, 7]);
    expect(filled).not.toContain(true);
  });
});
