import { describe, expect, test } from "vitest";
import { numbers, row, stepOf } from "../../../../../support/pipeline.js";

describe("window", () => {
  test("a tumbling window's row is named by its start and holds its statistics", () => {
    const { instance, output, rows } = stepOf(
      "window",
      { over: "10ms", get: { x: ["mean", "std", "min", "max", "count", "last"] } },
      numbers("y", "x"),
    );
    expect(output.fields.map(({ name }) => name)).toEqual([
      "x.mean",
      "x.std",
      "x.min",
      "x.max",
      "x.count",
      "x.last",
    ]);
    instance.push(row(11, 0, 1));
    instance.push(row(13, 0, null));
    instance.push(row(19, 0, 3));
    expect(instance.advance(19)).toBe(10);
    expect(rows).toEqual([]);
    expect(instance.advance(20)).toBe(20);
    expect(rows).toEqual([row(10, 2, 1, 1, 3, 2, 3)]);
  });

  test("hopping windows overlap, each with the rows of its own stretch", () => {
    const { instance, rows } = stepOf(
      "window",
      { over: "20ms", every: "10ms", get: { x: ["min", "max"] } },
      numbers("x"),
    );
    for (const timeMs of [10, 25, 31]) instance.push(row(timeMs, timeMs));
    instance.flush();
    expect(rows).toEqual([row(0, 10, 10), row(10, 10, 25), row(20, 25, 31), row(30, 31, 31)]);
  });

  test("windows without rows give none; one without values gives a count of 0", () => {
    const { instance, rows } = stepOf(
      "window",
      { over: "10ms", get: { x: ["mean", "count"] } },
      numbers("x"),
    );
    instance.push(row(0, null));
    instance.push(row(55, 1));
    instance.flush();
    expect(rows).toEqual([row(0, null, 0), row(50, 1, 1)]);
  });

  test("windows of rows close with their last row and are named by their first", () => {
    const { instance, rows, counters } = stepOf(
      "window",
      { rows: 3, every: 2, get: { x: ["mean"] } },
      numbers("x"),
    );
    for (const timeMs of [1, 5, 6, 7, 20, 21]) instance.push(row(timeMs, timeMs));
    expect(rows).toEqual([row(1, 4), row(6, 11)]);
    expect(instance.advance(22)).toBe(20);
    instance.flush();
    expect(rows).toHaveLength(2);
    expect(counters.toJSON()).toEqual({ "window.incomplete": 1 });
  });

  test("gaps between windows and endless overlap are refused", () => {
    const written = (more: object) => () => stepOf("window", { get: { x: ["mean"] }, ...more }, numbers("x"));
    expect(written({ over: "10ms", every: "11ms" })).toThrow("at most the window's length");
    expect(written({ over: "1h", every: "1ms" })).toThrow("open at once");
    expect(written({ over: "1h", rows: 3 })).toThrow("exactly one");
    expect(written({})).toThrow("exactly one");
    expect(written({ over: "1h", every: 3 })).toThrow();
  });

  test("windows that overlap or have a gap between, and early rows that could not be told apart, are refused", () => {
    const written = (more: object) => () => stepOf("window", { get: { x: ["mean"] }, ...more }, numbers("x"));
    expect(written({ over: "1h", every: 3 })).toThrow("expected a duration");
    expect(written({ rows: 3, every: "1h" })).toThrow("number of rows");
    expect(written({ session: { gap: "5m" }, every: "1m" })).toThrow('goes with \\"over\\" or \\"rows\\"');
    expect(written({ session: { gap: "2h", max: "1h" } })).toThrow("at most max");
    expect(written({ while: { of: "x" } })).toThrow("expected a condition");
    expect(written({ rows: 3, offset: "1h" })).toThrow('goes with \\"over\\" only');
    expect(written({ over: "1h", zone: "Europe/Berlin" })).toThrow("whole days");
    expect(written({ over: "1d", zone: "Berlin" })).toThrow("IANA");
    expect(written({ over: "1h", every: "30m", emit: "each" })).toThrow("leave out every");
    expect(written({ session: { gap: "5m" }, emit: { every: "1m" } })).toThrow("expected each");
    expect(written({ over: "1h", emit: { every: "2h" } })).toThrow("early rows in a window");
    expect(written({ sliding: "1h", emit: "each" })).toThrow("anyway");
    expect(written({ over: "1h", emit: "each", minCover: "50%", spacing: "1m" })).toThrow("minCover");
    expect(written({ over: "1h", minCover: "50%" })).toThrow("without a grid");
    expect(written({ over: "1h", get: { x: ["q5"] } })).toThrow("a quantile such as q05");
    expect(written({ over: "1h", get: {} })).toThrow("asks for nothing");
  });
});

describe("statistics of a window", () => {
  // NumPy 2.4 and SciPy 1.17 of x = 2 4 4 5 7 11 1 9 at t = 0 10 15 20 30 40 55 60 s: population skew and excess kurtosis,
  // scipy.stats.iqr, median_abs_deviation, numpy.percentile, and the slope of numpy.polyfit(t, x, 1).
  const expected = {
    ...{ mean: 5.375, std: 3.1991209730174317, min: 1, max: 11, count: 8, sum: 43, first: 2, last: 9 },
    ...{ range: 10, rms: 6.254998001598402, skew: 0.39120956291215325, kurtosis: -0.990240661966086 },
    ...{ slope: 0.06447876447876451, median: 4.5, iqr: 4, mad: 2.5, q05: 1.35, q95: 10.3 },
  };
  const names = Object.keys(expected);
  const rows = [2, 4, 4, 5, 7, 11, 1, 9].map((x, i) => row(1_000 * [0, 10, 15, 20, 30, 40, 55, 60][i]!, x));
  const get = { x: names.slice(0, 16), y: names.slice(16) };
  const twice = rows.map(({ timeMs, values }) => row(timeMs, values[0]!, values[0]!));

  test.each([
    ["tumbling", { over: "2m" }],
    ["put together from slices", { over: "2m", every: "12s" }],
    ["sliding", { sliding: "2m" }],
    ["of a session", { session: { gap: "1m" } }],
    ["growing", { over: "2m", emit: "each" }],
  ])("are NumPy's: %s", (_, kind) => {
    const step = stepOf("window", { ...kind, get }, numbers("x", "y"));
    for (const each of twice) step.instance.push(each);
    step.instance.flush();
    const full = step.rows.find(({ values }) => values[4] === 8);
    names.forEach((name, i) => {
      // A few float64 roundings.
      expect(full?.values[i], name).toBeCloseTo(expected[name as keyof typeof expected], 12);
    });
  });

  test("that values do not have are missing: a trend at one time, a shape without spread", () => {
    const step = stepOf(
      "window",
      { over: "1s", get: { x: ["slope", "skew", "kurtosis", "std", "iqr", "mad"] } },
      numbers("x"),
    );
    step.instance.push(row(0, 0.1));
    step.instance.push(row(1_000, 0.1));
    step.instance.push(row(1_001, 0.1));
    step.instance.flush();
    expect(step.rows).toEqual([row(0, null, null, null, 0, 0, 0), row(1_000, 0, null, null, 0, 0, 0)]);
  });

  test("of more values than are kept are close, and of times far from zero exact", () => {
    const step = stepOf("window", { over: "1h", get: { x: ["median", "slope", "count"] } }, numbers("x"));
    const startMs = Date.UTC(2026, 0, 1);
    for (let i = 0; i < 36_000; i++) step.instance.push(row(startMs + 100 * i, i / 10));
    step.instance.flush();
    const [median, slope, count] = step.rows[0]!.values as number[];
    // (5 + 1) / 2048 of 3600 s.
    expect(Math.abs(median! - 1_800)).toBeLessThan(11);
    expect(slope).toBeCloseTo(1, 12);
    expect(count).toBe(36_000);
  });
});

describe("windows of days", () => {
  test("begin at local midnight: 23 hours long when clocks are put forward", () => {
    const step = stepOf("window", { over: "1d", zone: "Europe/Berlin", get: { x: ["count"] } }, numbers("x"));
    for (let hour = 0; hour < 72; hour++) step.instance.push(row(Date.UTC(2026, 2, 28, hour), 1));
    step.instance.flush();
    expect(step.rows.map(({ timeMs, values }) => [new Date(timeMs).toISOString(), values[0]])).toEqual([
      ["2026-03-27T23:00:00.000Z", 23],
      ["2026-03-28T23:00:00.000Z", 23],
      ["2026-03-29T22:00:00.000Z", 24],
      ["2026-03-30T22:00:00.000Z", 2],
    ]);
    expect(step.output.spacingMs).toBeUndefined();
  });

  test("weeks begin on Monday with an offset of four days: 1970 began on a Thursday", () => {
    const step = stepOf("window", { over: "7d", offset: "4d", get: { x: ["count"] } }, numbers("x"));
    step.instance.push(row(Date.UTC(2026, 10, 26), 1));
    step.instance.flush();
    expect(new Date(step.rows[0]!.timeMs).toISOString()).toBe("2026-11-23T00:00:00.000Z");
  });
});

describe("sessions", () => {
  const written = { session: { gap: "10ms", max: "30ms", get: ["seconds", "rows"] }, get: { x: ["sum"] } };

  test("end after silence, by the watermark, and are named by their first row", () => {
    const { instance, output, rows } = stepOf("window", written, numbers("x"));
    expect(output.fields.map(({ name }) => name)).toEqual(["session.seconds", "session.rows", "x.sum"]);
    instance.push(row(3, 1));
    instance.push(row(12, 2));
    expect(instance.dueMs()).toBe(22);
    expect(instance.advance(21)).toBe(3);
    expect(rows).toEqual([]);
    expect(instance.advance(22)).toBe(22);
    expect(rows).toEqual([row(3, 0.009, 2, 3)]);
    // Exactly `gap` later is another session.
    instance.push(row(30, 5));
    instance.push(row(40, 6));
    expect(rows).toHaveLength(2);
  });

  test("end when they are long enough, and the next one begins", () => {
    const { instance, rows } = stepOf("window", written, numbers("x"));
    for (let timeMs = 0; timeMs <= 60; timeMs += 6) instance.push(row(timeMs, 1));
    instance.flush();
    expect(rows).toEqual([row(0, 0.024, 5, 5), row(30, 0.024, 5, 5), row(60, 0, 1, 1)]);
  });
});

describe("windows while a condition holds", () => {
  const rowsOf = (condition: object, ...drawn: readonly (readonly [number | null, number])[]) => {
    const { instance, rows } = stepOf(
      "window",
      { while: { of: "on", max: "1s", get: ["rows"], ...condition }, get: { x: ["sum"] } },
      numbers("on", "x"),
    );
    drawn.forEach(([on, x], i) => {
      instance.push(row(i, on, x));
    });
    instance.flush();
    return rows;
  };

  test("open with the first row that meets it and close before the first that does not", () => {
    expect(rowsOf({ is: 1 }, [0, 9], [1, 1], [1, 2], [0, 9], [0, 9], [1, 3])).toEqual([
      row(1, 2, 3),
      row(5, 1, 3),
    ]);
  });

  test("go on where the field is missing, but do not begin there", () => {
    expect(rowsOf({ is: [1, 2] }, [null, 9], [2, 1], [null, 2], [1, 3], [3, 9])).toEqual([row(1, 3, 6)]);
  });

  test("may ask for a value between two others", () => {
    expect(rowsOf({ above: 1, below: 3 }, [1, 9], [2, 1], [2.5, 2], [3, 9])).toEqual([row(1, 2, 3)]);
  });
});

describe("early rows", () => {
  test("with each row hold the window so far, named by the row", () => {
    const { instance, rows } = stepOf(
      "window",
      { over: "10ms", emit: "each", get: { x: ["sum"] } },
      numbers("x"),
    );
    for (const timeMs of [11, 15, 22]) instance.push(row(timeMs, timeMs));
    expect(instance.advance(40)).toBe(40);
    instance.flush();
    expect(rows).toEqual([row(11, 11), row(15, 26), row(22, 22)]);
  });

  test("every so often hold the window up to the end of the slice that names them", () => {
    const { instance, rows, output } = stepOf(
      "window",
      { over: "10ms", emit: { every: "5ms" }, get: { x: ["sum"] } },
      numbers("x"),
    );
    expect(output.spacingMs).toBe(5);
    instance.push(row(11, 1));
    instance.push(row(14, 2));
    expect(instance.dueMs()).toBe(15);
    expect(instance.advance(15)).toBe(15);
    // No row for the slice at 15, in which nothing came.
    instance.push(row(27, 4));
    instance.flush();
    expect(rows).toEqual([row(10, 3), row(25, 4)]);
  });
});

describe("minCover", () => {
  test("drops windows with too few rows, and counts them", () => {
    const { instance, rows, counters } = stepOf(
      "window",
      { over: "10ms", minCover: "50%", spacing: "2ms", get: { x: ["count"] } },
      numbers("x"),
    );
    for (const timeMs of [0, 2, 4, 10, 12, 20]) instance.push(row(timeMs, 1));
    instance.flush();
    expect(rows).toEqual([row(0, 3)]);
    expect(counters.toJSON()).toEqual({ "window.uncovered": 2 });
  });

  test("takes the grid that rows come on, and waits until a sliding window is covered", () => {
    const input = { ...numbers("x"), spacingMs: 1 };
    const { instance, rows } = stepOf(
      "window",
      { sliding: "4ms", minCover: "75%", get: { x: ["sum"] } },
      input,
    );
    for (let timeMs = 0; timeMs < 5; timeMs++) instance.push(row(timeMs, 1));
    expect(rows).toEqual([row(2, 3), row(3, 4), row(4, 4)]);
  });
});
