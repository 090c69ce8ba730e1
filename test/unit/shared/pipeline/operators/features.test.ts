import { describe, expect, test } from "vitest";
import { featureOf, HOUR_MS, numbers, row, stepOf } from "../../../../support/pipeline.js";

describe("range", () => {
  test("a value outside its limits becomes missing and is counted, the limits themselves stay", () => {
    const { instance, rows, counters } = stepOf("range", { of: "x", min: 0, max: 9 }, numbers("x", "y"));
    for (const x of [-0.1, 0, 9, 9.1, null]) instance.push(row(1, x, 5));
    expect(rows.map(({ values }) => values[0])).toEqual([null, 0, 9, null, null]);
    expect(rows.every(({ values }) => values[1] === 5)).toBe(true);
    expect(counters.toJSON()).toEqual({ "range.out": 2 });
  });
});

describe("copy", () => {
  test("copies numbers and flattens vectors in order", () => {
    const input = {
      fields: [
        { name: "x", length: 1 },
        { name: "v", length: 2 },
      ],
      spacingMs: undefined,
    };
    const { columns, push } = featureOf("copy", ["v", "x"], input);
    expect(columns).toEqual(["v_0", "v_1", "x"]);
    expect(push(row(0, 7, new Float32Array([1, 2])))).toEqual([1, 2, 7]);
    expect(push(row(1, null, new Float32Array([1, 2])))).toBe("missing");
  });
});

describe("lag", () => {
  test("by time it reads the row at exactly that time, never a neighbour", () => {
    const { columns, push } = featureOf("lag", { of: "x", by: ["1h", "2h"] }, numbers("x"));
    expect(columns).toEqual(["x.lag_1h", "x.lag_2h"]);
    expect(push(row(0, 10))).toBe("warming-up");
    expect(push(row(HOUR_MS, 11))).toBe("warming-up");
    expect(push(row(2 * HOUR_MS, 12))).toEqual([11, 10]);
    expect(push(row(3.5 * HOUR_MS, 13))).toBe("missing");
    expect(push(row(4 * HOUR_MS, null))).toBe("missing");
    expect(push(row(5 * HOUR_MS, 15))).toBe("missing");
    expect(push(row(5.5 * HOUR_MS, 15.5))).toBe("missing");
  });

  test("by rows it counts back, whatever the time between", () => {
    const { columns, push } = featureOf("lag", { of: ["x", "y"], rows: "1..2" }, numbers("x", "y"));
    expect(columns).toEqual(["x.lag_1", "x.lag_2", "y.lag_1", "y.lag_2"]);
    expect(push(row(0, 1, -1))).toBe("warming-up");
    expect(push(row(7, 2, -2))).toBe("warming-up");
    expect(push(row(8, 3, -3))).toEqual([2, 1, -2, -1]);
    expect(push(row(99, null, -4))).toEqual([3, 2, -3, -2]);
    expect(push(row(100, 5, -5))).toBe("missing");
  });

  test("a list, a range and a single number of rows say the same", () => {
    for (const rows of [2, [2], "2..2"]) {
      expect(featureOf("lag", { of: "x", rows }, numbers("x")).columns).toEqual(["x.lag_2"]);
    }
    for (const rows of ["3..2", "0..1", "1..5000", 0, 1.5, "x"]) {
      expect(() => featureOf("lag", { of: "x", rows }, numbers("x"))).toThrow();
    }
  });

  test("history is bounded: where rows are too dense for the lag, there is no feature and it is counted", () => {
    const { push, counters } = featureOf("lag", { of: "x", by: "1h" }, numbers("x"));
    let last: unknown;
    for (let i = 0; i < 131_082; i++) last = push(row(i, i));
    expect(last).toBe("warming-up");
    expect(counters.toJSON()).toEqual({ "features.history-full": 10 });
  });
});

describe("rolling", () => {
  test("over time it covers (t - over, t] and is warm once the past covers it", () => {
    const { columns, push } = featureOf(
      "rolling",
      { of: "x", over: "2h", get: ["mean", "std", "min", "max", "count"] },
      numbers("x"),
    );
    expect(columns).toContain("x.rolling_mean_2h");
    expect(push(row(0, 100))).toBe("warming-up");
    expect(push(row(HOUR_MS, 1))).toBe("warming-up");
    expect(push(row(2 * HOUR_MS, 3))).toEqual([2, 1, 1, 3, 2]);
    expect(push(row(3 * HOUR_MS, null))).toEqual([3, 0, 3, 3, 1]);
    expect(push(row(4 * HOUR_MS, null))).toBe("missing");
  });

  test("over rows it covers the last n, missing ones included in the count of rows", () => {
    const { columns, push } = featureOf("rolling", { of: "x", rows: 2, get: ["mean"] }, numbers("x"));
    expect(columns).toEqual(["x.rolling_mean_2"]);
    expect([1, 3, null, 5].map((x, i) => push(row(i, x)))).toEqual(["warming-up", [2], [3], [5]]);
  });

  test("of order, shape and trend are those of NumPy and SciPy", () => {
    // x = [3, 1, 4, 1, 5, 9, 2, 6], one a second: sum, np.median, np.quantile(x, .05), (.95), iqr, median_abs_deviation,
    // skew, kurtosis, np.polyfit slope.
    const expected = [31, 3.5, 1, 7.95, 3.5, 2, 0.6682892518, -0.5349496169, 0.5357142857];
    const get = ["sum", "median", "q05", "q95", "iqr", "mad", "skew", "kurtosis", "slope"];
    const { columns, push } = featureOf("rolling", { of: "x", over: "8s", get }, numbers("x"));
    expect(columns).toContain("x.rolling_q05_8s");
    const out = [99, 3, 1, 4, 1, 5, 9, 2, 6].map((x, i) => push(row(i * 1_000, x))).at(-1);
    expected.forEach((value, i) => {
      // float32 columns
      expect(Math.abs(Number((out as number[])[i]) - value)).toBeLessThan(
        1e-6 * Math.max(1, Math.abs(value)),
      );
    });
  });

  test("a window without values has nothing but a count of 0", () => {
    const count = featureOf("rolling", { of: "x", rows: 1, get: ["count"] }, numbers("x"));
    expect(count.push(row(0, null))).toEqual([0]);
    const flat = featureOf("rolling", { of: "x", rows: 2, get: ["skew"] }, numbers("x"));
    expect([flat.push(row(0, 5)), flat.push(row(1, 5))]).toEqual(["warming-up", "missing"]);
  });
});

describe("cyclic", () => {
  const at = (cycle: string, timeMs: number) => featureOf("cyclic", cycle, numbers("x")).push(row(timeMs, 1));

  test("hour is a circle through the day in UTC", () => {
    for (const hour of [0, 5, 6, 18, 23]) {
      const angle = (2 * Math.PI * hour) / 24;
      const expected = [Math.fround(Math.sin(angle)), Math.fround(Math.cos(angle))];
      expect(at("hour", Date.UTC(2016, 1, 29, hour))).toEqual(expected);
    }
  });

  test("the week begins on Monday, the year on January 1st, leap years included", () => {
    expect(at("dow", Date.UTC(2026, 10, 23))).toEqual([0, 1]);
    expect(at("dow", Date.UTC(1970, 0, 5))).toEqual([0, 1]);
    expect(at("doy", Date.UTC(2016, 0, 1))).toEqual([0, 1]);
    expect(at("doy", Date.UTC(2016, 6, 2))).toEqual([Math.fround(Math.sin(Math.PI)), -1]);
  });
});

describe("observed", () => {
  test("adds no column and lets only measured values pass", () => {
    const { columns, push } = featureOf("observed", "x", numbers("x", "y"));
    expect(columns).toEqual([]);
    expect(push(row(0, 1, null))).toEqual([]);
    expect(push(row(1, null, 1))).toBe("unobserved");
    expect(push({ ...row(2, 1, 1), filled: [true, false] })).toBe("unobserved");
    expect(push({ ...row(3, 1, 1), filled: [false, true] })).toEqual([]);
  });
});
