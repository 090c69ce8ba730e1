// Laws of expressions: any text is understood or refused, and what is understood means what it says.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileExpression } from "../../../shared/pipeline/expression/compile.js";
import { parseExpression } from "../../../shared/pipeline/expression/parse.js";
import { ExpressionError, MAX_LENGTH } from "../../../shared/pipeline/expression/tokens.js";

const fields = ["x", "y.z"].map((name) => ({ name, length: 1 }));

const pieces = fc.constantFrom(
  ..."+ - * / ^ ( ) , < <= > >= == != x y.z 1 2.5 .5 1e3 min( max( sqrt( if( clamp( foo( é = $ constructor".split(
    " ",
  ),
);

const texts = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.array(pieces).map((some) => some.join(" ")),
);

interface Tree {
  readonly text: string;
  readonly value: (x: number, y: number) => number;
}

const leaves = fc.oneof(
  fc.constant<Tree>({ text: "x", value: (x) => x }),
  fc.constant<Tree>({ text: "y.z", value: (_, y) => y }),
  fc.integer({ min: 0, max: 99 }).map((n): Tree => ({ text: `${n}`, value: () => n })),
);

const binary: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => a ** b,
};

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6 },
    leaves,
    tie("tree").map((of): Tree => ({ text: `-(${of.text})`, value: (x, y) => -of.value(x, y) })),
    tie("tree").map((of): Tree => ({ text: `abs(${of.text})`, value: (x, y) => Math.abs(of.value(x, y)) })),
    fc.tuple(tie("tree"), fc.constantFrom(...Object.keys(binary)), tie("tree")).map(
      ([a, sign, b]): Tree => ({
        text: `(${a.text}) ${sign} (${b.text})`,
        value: (x, y) => binary[sign]!(a.value(x, y), b.value(x, y)),
      }),
    ),
  ),
}));

describe("expressions", () => {
  test("any text is an expression or refused at one of its characters", () => {
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const { evaluate } = compileExpression(parseExpression(text), fields);
          expect(typeof evaluate([1, 2], 0)).toBe("number");
        } catch (error) {
          expect(error).toBeInstanceOf(ExpressionError);
          const { at } = error as ExpressionError; // as the line before says
          expect(at).toBeGreaterThanOrEqual(1);
          expect(at).toBeLessThanOrEqual(Math.min(text.length, MAX_LENGTH) + 1);
        }
      }),
      { numRuns: 10_000 },
    );
  });

  test("what is written out with brackets is worked out in that order", () => {
    const numbers = fc.integer({ min: -9, max: 9 });
    fc.assert(
      fc.property(
        tree.filter(({ text }) => text.length <= MAX_LENGTH),
        numbers,
        numbers,
        ({ text, value }, x, y) => {
          const { evaluate } = compileExpression(parseExpression(text), fields);
          expect(evaluate([x, y], 0)).toEqual(value(x, y));
        },
      ),
    );
  });
});
