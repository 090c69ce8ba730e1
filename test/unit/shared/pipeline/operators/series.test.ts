// Operators that make one number from another: ema, diff, rate, slope, as features and as steps.

import { describe, expect, test } from "vitest";
import { featureOf, HOUR_MS, numbers, row, stepOf } from "../../../../support/pipeline.js";

const x = numbers("x");
// Columns are float32: half a unit in the last place.
const FLOAT32 = 6e-8;

function valuesOf(name: string, written: object, xs: readonly (readonly [number, number | null])[]) {
  const { push } = featureOf(name, { of: "x", ...written }, x);
  return xs.map(([timeMs, value]) => {
    const out = push(row(timeMs, value));
    return typeof out === "string" ? out : out[0]!;
  });
}

describe("ema", () => {
  test("follows a step to 1 - 1/e after one time constant, in one stride or in two", () => {
    const tau = { tau: "10s" };
    expect(
      valuesOf("ema", tau, [
        [0, 0],
        [10_000, 1],
      ])[1],
    ).toBeCloseTo(1 - Math.exp(-1), 7);
    expect(
      valuesOf("ema", tau, [
        [0, 0],
        [3_000, 1],
        [10_000, 1],
      ])[2],
    ).toBeCloseTo(1 - Math.exp(-1), 7);
  });

  test("begins with the first value, and is missing where the value is", () => {
    expect(
      valuesOf("ema", { tau: "1s" }, [
        [0, null],
        [1, 5],
        [2, null],
        [3, 5],
      ]),
    ).toEqual(["missing", 5, "missing", 5]);
    expect(featureOf("ema", { of: ["x"], tau: "2h" }, x).columns).toEqual(["x.ema_2h"]);
  });

  test("as a step it makes a field, or smooths in place", () => {
    const made = stepOf("ema", { of: "x", tau: "10s" }, x);
    expect(made.output.fields.map(({ name }) => name)).toEqual(["x", "x.ema_10s"]);
    const inPlace = stepOf("ema", { of: "x", tau: "10s", as: "x" }, x);
    expect(inPlace.output).toEqual(x);
    for (const [i, value] of [8, null, 8].entries()) inPlace.instance.push(row(i, value));
    expect(inPlace.rows).toEqual([row(0, 8), row(1, null), row(2, 8)]);
  });

  test("a name that is taken is refused, and so is one name for two fields", () => {
    expect(() => stepOf("ema", { of: "x", tau: "1s", as: "y" }, numbers("x", "y"))).toThrow(
      'a field "y" is there already',
    );
    expect(() => stepOf("ema", { of: ["x", "y"], tau: "1s", as: "z" }, numbers("x", "y"))).toThrow(
      "one name for 2 fields",
    );
  });
});

describe("diff", () => {
  test("by rows, whatever the time between", () => {
    const { columns, push } = featureOf("diff", { of: "x", rows: 2 }, x);
    expect(columns).toEqual(["x.diff_2"]);
    const out = [1, 4, 9, null, 25, 36].map((value, i) => push(row(i * i, value)));
    expect(out).toEqual(["warming-up", "warming-up", [8], "missing", [16], "missing"]);
  });

  test("by time, from the row at exactly that time", () => {
    const { columns, push } = featureOf("diff", { of: "x", by: "1h" }, x);
    expect(columns).toEqual(["x.diff_1h"]);
    expect(push(row(0, 1))).toBe("warming-up");
    expect(push(row(HOUR_MS, 5))).toEqual([4]);
    expect(push(row(1.5 * HOUR_MS, 5))).toBe("missing");
    expect(push(row(2 * HOUR_MS, 2))).toEqual([-3]);
  });

  test("rows or time, not both", () => {
    expect(() => featureOf("diff", { of: "x", rows: 1, by: "1h" }, x)).toThrow("not both");
    expect(featureOf("diff", { of: "x" }, x).columns).toEqual(["x.diff_1"]);
  });
});

describe("rate", () => {
  test("is the change per time since the last value there was", () => {
    const readings = [
      [0, 10],
      [60_000, 11],
      [120_000, null],
      [180_000, 9],
    ] as const;
    expect(valuesOf("rate", { per: "1h" }, readings)).toEqual(["warming-up", 60, "missing", -60]);
  });

  test("a counter that fell began again at 0", () => {
    const { push, counters } = featureOf("rate", { of: "x", reset: true }, x);
    expect([90, 95, 3].map((value, i) => push(row(i * 1_000, value)))).toEqual(["warming-up", [5], [3]]);
    expect(counters.toJSON()).toEqual({ "rate.resets": 1 });
  });

  test("faster than can be is missing and counted; the next one starts from there", () => {
    const step = stepOf("rate", { of: "kwh", per: "1h", reset: true, max: 50, as: "kw" }, numbers("kwh"));
    [100, 101, 20_000, 20_002].forEach((value, i) => {
      step.instance.push(row(i * HOUR_MS, value));
    });
    expect(step.rows.map(({ values }) => values[1])).toEqual([null, 1, null, 2]);
    expect(step.counters.toJSON()).toEqual({ "rate.too-fast": 1 });
  });
});

describe("slope", () => {
  test("of a straight line is its own, at uneven times, in the field's unit per `per`", () => {
    const line = [0, 1, 2.5, 7, 8, 10].map((s) => [s * 1_000, 3 * s - 4] as const);
    const perSecond = valuesOf("slope", { over: "10s" }, line);
    expect(perSecond.slice(0, 5)).toEqual(new Array(5).fill("warming-up"));
    expect(Math.abs(Number(perSecond[5]) - 3)).toBeLessThan(3 * FLOAT32);
    expect(valuesOf("slope", { over: "10s", per: "1m" }, line)[5]).toBeCloseTo(180, 4);
  });

  test("is that of numpy.polyfit over (t - over, t], missing values skipped", () => {
    // np.polyfit([1, 2, 4], [2, 3, 9], 1)[0] = 17/7: the value at 0 has left, that at 3 is missing.
    const readings = [
      [0, 99],
      [1_000, 2],
      [2_000, 3],
      [3_000, null],
      [4_000, 9],
    ] as const;
    expect(valuesOf("slope", { over: "4s" }, readings)[4]).toBeCloseTo(17 / 7, 6);
  });

  test("of fewer than two values there is none", () => {
    expect(
      valuesOf("slope", { over: "2s" }, [
        [0, 1],
        [1_000, null],
        [2_000, 5],
      ])[2],
    ).toBe("missing");
  });
});

test("what is beyond all measurement is missing and counted", () => {
  const { push, counters } = featureOf("rate", { of: "x", per: "365d" }, x);
  expect([push(row(0, -1e18)), push(row(1, 1e18))]).toEqual(["warming-up", "missing"]);
  expect(counters.toJSON()).toEqual({ "rate.not-finite": 1 });
});

test("what a step makes from a filled value is filled", () => {
  const { instance, rows } = stepOf("ema", { of: "x", tau: "1s" }, x);
  instance.push({ ...row(1, 1), filled: [true] });
  expect(rows[0]?.filled).toEqual([true, true]);
});
