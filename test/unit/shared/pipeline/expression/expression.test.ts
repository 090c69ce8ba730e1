import { describe, expect, test } from "vitest";
import { compileExpression, fieldsOf } from "../../../../../shared/pipeline/expression/compile.js";
import { parseExpression } from "../../../../../shared/pipeline/expression/parse.js";
import type { Value } from "../../../../../shared/pipeline/types.js";

const fields = [
  { name: "x", length: 1 },
  { name: "y", length: 1 },
  { name: "a.rms", length: 1 },
  { name: "v", length: 2 },
  { name: "w", length: 2 },
  { name: "long", length: 3 },
];

function valueAt(text: string, x = 0, y = 0): number {
  const values: readonly Value[] = [x, y, 7, null, null, null];
  return compileExpression(parseExpression(text), fields).evaluate(values, 0);
}

const refusal = (text: string) => () => compileExpression(parseExpression(text), fields);

describe("expressions", () => {
  test("bind as in mathematics: powers, then signs, then products, sums, comparisons", () => {
    expect(valueAt("1 + 2 * 3")).toBe(7);
    expect(valueAt("(1 + 2) * 3")).toBe(9);
    expect(valueAt("10 - 4 - 3")).toBe(3);
    expect(valueAt("24 / 4 / 2")).toBe(3);
    expect(valueAt("2 ^ 3 ^ 2")).toBe(512);
    expect(valueAt("-2 ^ 2")).toBe(-4);
    expect(valueAt("2 ^ -1")).toBe(0.5);
    expect(valueAt("- - 3 * -2")).toBe(-6);
    expect(valueAt("1 + 1 == 2")).toBe(1);
  });

  test("read numbers and fields, dots and all", () => {
    expect(valueAt("1.5e3 + .5")).toBe(1_500.5);
    expect(valueAt("x*x + y*y", 3, 4)).toBe(25);
    expect(valueAt("a.rms / 7")).toBe(1);
    expect(fieldsOf(parseExpression("sqrt(ax*ax + ay*ay) - ax"))).toEqual(["ax", "ay"]);
  });

  test("compare to 1 or 0", () => {
    const signs = ["<", "<=", ">", ">=", "==", "!="];
    expect(signs.map((sign) => valueAt(`x ${sign} y`, 1, 2))).toEqual([1, 1, 0, 0, 0, 1]);
    expect(signs.map((sign) => valueAt(`x ${sign} y`, 2, 2))).toEqual([0, 1, 0, 1, 1, 0]);
  });

  test("know the usual functions", () => {
    expect(valueAt("min(3, x, 2) + max(3, 5)", 1)).toBe(6);
    expect(valueAt("abs(-3) + sqrt(16) + floor(1.9) + ceil(1.1) + round(2.5)")).toBe(13);
    expect(valueAt("log(exp(2)) + pow(2, 3)")).toBe(10);
    expect(valueAt("sin(0) + cos(0)")).toBe(1);
    expect(valueAt("clamp(x, -1, 1)", 9)).toBe(1);
    expect(valueAt("if(x > 0, 1 / x, 0)", 0)).toBe(0);
    expect(valueAt("if(x > 0, 1 / x, 0)", 4)).toBe(0.25);
  });

  test("what is no number stays none, through comparisons and choices too", () => {
    for (const text of ["0 / 0", "sqrt(-1)", "log(-1) < 1", "if(0 / 0, 1, 2)", "min(1, 0 / 0)"]) {
      expect(valueAt(text)).toBeNaN();
    }
    expect(valueAt("1 / 0")).toBe(Number.POSITIVE_INFINITY);
  });

  test("work on vectors element by element, with numbers for every element", () => {
    const { length, positions, evaluate } = compileExpression(parseExpression("v * w + x"), fields);
    const values = [10, 0, 0, Float32Array.of(1, 2), Float32Array.of(3, 4), null];
    expect({ length, positions }).toEqual({ length: 2, positions: [3, 4, 0] });
    expect([0, 1].map((index) => evaluate(values, index))).toEqual([13, 18]);
    expect(refusal("v + long")).toThrow(
      'character 5: element by element, but "v" is a vector of 2, "long" of 3',
    );
  });
});

describe("what cannot be understood is pointed at", () => {
  test.each([
    ["sqr(x)", 'character 1: no function is called "sqr"; did you mean "sqrt"?'],
    ["x + a.rsm", 'character 5: no field is called "a.rsm" here; did you mean "a.rms"?'],
    ["x + ", 'character 5: expected a number, a field or "(", found the end'],
    ["x + * y", 'character 5: expected a number, a field or "(", found "*"'],
    ["(x + y", 'character 7: expected an operator or ")", found the end'],
    ["x y", 'character 3: expected an operator, or the end, found "y"'],
    ["min(x y)", 'character 7: expected an operator, "," or ")", found "y"'],
    ["if(x, y)", "character 1: if takes 3 inputs, here are 2"],
    ["min(x)", "character 1: min takes 2 to 16 inputs, here are 1"],
    ["x = y", 'character 3: a single "=" means nothing; did you mean "=="?'],
    ["x % 2", 'character 3: "%" means nothing here'],
    ["0 < x < 1", "character 7: comparisons do not chain"],
    ["1e999", "character 1: 1e999 is too large for a number"],
    ["constructor(x)", 'character 1: no function is called "constructor"'],
    ["", 'character 1: expected a number, a field or "(", found the end'],
  ])("%s", (text, message) => {
    expect(refusal(text)).toThrow(message);
  });

  test("depth and length are bounded", () => {
    const nested = (depth: number) => `${"(".repeat(depth)}x${")".repeat(depth)}`;
    expect(valueAt(nested(31), 5)).toBe(5);
    expect(refusal(nested(32))).toThrow("character 33: nested more than 32 deep");
    expect(refusal("-".repeat(500))).toThrow("nested more than 32 deep");
    expect(refusal(`2${"^2".repeat(400)}`)).toThrow("nested more than 32 deep");
    expect(valueAt(`x${"+x".repeat(499)}`, 1)).toBe(500);
    expect(refusal(`x${"+x".repeat(500)}`)).toThrow("character 1001: longer than 1000 characters");
  });
});
