import { describe, expect, test } from "vitest";
import { numbers, row, stepOf } from "../../../../support/pipeline.js";

describe("derive", () => {
  test("makes fields by formula, each from the row as it came in", () => {
    const formulas = { mag: "sqrt(x*x + y*y)", x: "x * 2", twice: "x * 2" };
    const { instance, output, rows } = stepOf("derive", formulas, numbers("x", "y"));
    expect(output.fields.map(({ name }) => name)).toEqual(["x", "y", "mag", "twice"]);
    instance.push(row(1, 3, 4));
    expect(rows).toEqual([row(1, 6, 4, 5, 6)]);
  });

  test("missing in, missing out; what is no number is missing and counted", () => {
    const { instance, rows, counters } = stepOf("derive", { q: "x / y", big: "x * 1e18" }, numbers("x", "y"));
    instance.push(row(1, null, 4));
    instance.push(row(2, 0, 0));
    instance.push(row(3, 2, 4));
    expect(rows.map(({ values }) => values)).toEqual([
      [null, 4, null, null],
      [0, 0, null, 0],
      [2, 4, 0.5, null],
    ]);
    expect(counters.toJSON()).toEqual({ "derive.not-finite": 2 });
  });

  test("works on vectors element by element", () => {
    const input = {
      fields: [
        { name: "a", length: 2, rateHz: 50 },
        { name: "b", length: 2, rateHz: 50 },
        { name: "k", length: 1 },
      ],
      spacingMs: undefined,
    };
    const { instance, output, rows, counters } = stepOf("derive", { m: "sqrt(a*a + b*b) * k" }, input);
    expect(output.fields.at(-1)).toEqual({ name: "m", length: 2, rateHz: 50 });
    instance.push(row(1, Float32Array.of(3, 5), Float32Array.of(4, 12), 2));
    instance.push(row(2, Float32Array.of(3, 5), Float32Array.of(4, 12), 1e20));
    expect(rows.map(({ values }) => values.at(-1))).toEqual([Float32Array.of(10, 26), null]);
    expect(counters.toJSON()).toEqual({ "derive.not-finite": 1 });
  });

  test("what was made from a filled value is filled", () => {
    const { instance, rows } = stepOf("derive", { z: "x + 1", w: "y + 1" }, numbers("x", "y"));
    instance.push({ ...row(1, 1, 2), filled: [true, false] });
    expect(rows[0]?.filled).toEqual([true, false, true, false]);
  });

  test("a formula that cannot be understood is pointed at", () => {
    const make = (formula: string) => () => stepOf("derive", { z: formula }, numbers("temp"));
    expect(make("tmp + 1")).toThrow('character 1: no field is called "tmp" here; did you mean "temp"?');
    expect(make("temp +")).toThrow("character 7: expected a number");
  });
});
