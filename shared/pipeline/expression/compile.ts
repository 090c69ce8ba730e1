// From a tree to closures over a row's values: one call per node and element, no object per value.

import { unreachable } from "../../assert.js";
import { unknownField } from "../operators/fields.js";
import type { Field } from "../operators/port.js";
import type { Value } from "../types.js";
import type { Expression, FunctionName, Sign } from "./parse.js";
import { ExpressionError } from "./tokens.js";

/** An expression that is ready for rows of one shape. */
export interface Compiled {
  /** 1 for a number; otherwise the length of the vectors it reads: numbers count for every element. */
  readonly length: number;
  /** Where the fields are that it reads; none of them may be missing when it is evaluated. */
  readonly positions: readonly number[];
  /** Element `index`. NaN or an infinity where there is no such number: of 0 / 0, or of log(0). */
  evaluate(values: readonly Value[], index: number): number;
}

/** The names of the fields that `expression` reads, each once. */
export function fieldsOf(expression: Expression): readonly string[] {
  return [...new Set(leavesOf(expression).map(({ name }) => name))];
}

/** `expression` over `fields`. Throws `ExpressionError` for unknown fields and for vectors of unequal lengths. */
export function compileExpression(expression: Expression, fields: readonly Field[]): Compiled {
  const leaves = leavesOf(expression);
  const positions = new Set(leaves.map((leaf) => positionOf(leaf, fields)));
  return {
    length: lengthOf(leaves, fields),
    positions: [...positions],
    evaluate: closureOf(expression, fields),
  };
}

type Evaluate = (values: readonly Value[], index: number) => number;

interface FieldLeaf {
  readonly name: string;
  readonly at: number;
}

function leavesOf(expression: Expression): readonly FieldLeaf[] {
  switch (expression.kind) {
    case "number":
      return [];
    case "field":
      return [expression];
    case "negate":
      return leavesOf(expression.of);
    case "operation":
      return [...leavesOf(expression.left), ...leavesOf(expression.right)];
    case "call":
      return expression.inputs.flatMap(leavesOf);
    default:
      return unreachable(expression);
  }
}

function positionOf({ name, at }: FieldLeaf, fields: readonly Field[]): number {
  const position = fields.findIndex((field) => field.name === name);
  if (position >= 0) return position;
  throw new ExpressionError(at, unknownField(name, fields));
}

function lengthOf(leaves: readonly FieldLeaf[], fields: readonly Field[]): number {
  let first: Field | undefined;
  for (const leaf of leaves) {
    const field = fields[positionOf(leaf, fields)]!;
    if (field.length === 1) continue;
    first ??= field;
    if (field.length === first.length) continue;
    const vectors = `"${first.name}" is a vector of ${first.length}, "${field.name}" of ${field.length}`;
    throw new ExpressionError(leaf.at, `element by element, but ${vectors}`);
  }
  return first?.length ?? 1;
}

function closureOf(expression: Expression, fields: readonly Field[]): Evaluate {
  switch (expression.kind) {
    case "number": {
      const { value } = expression;
      return () => value;
    }
    case "field":
      return elementOf(positionOf(expression, fields));
    case "negate": {
      const of = closureOf(expression.of, fields);
      return (values, index) => -of(values, index);
    }
    case "operation":
      return operationOf(
        expression.sign,
        closureOf(expression.left, fields),
        closureOf(expression.right, fields),
      );
    case "call":
      return callOf(
        expression.name,
        expression.inputs.map((input) => closureOf(input, fields)),
      );
    default:
      return unreachable(expression);
  }
}

function elementOf(position: number): Evaluate {
  return (values, index) => {
    const value = values[position]!;
    if (typeof value === "number") return value;
    return value === null ? Number.NaN : value[index]!;
  };
}

function operationOf(sign: Sign, a: Evaluate, b: Evaluate): Evaluate {
  switch (sign) {
    case "+":
      return (values, index) => a(values, index) + b(values, index);
    case "-":
      return (values, index) => a(values, index) - b(values, index);
    case "*":
      return (values, index) => a(values, index) * b(values, index);
    case "/":
      return (values, index) => a(values, index) / b(values, index);
    case "^":
      return (values, index) => a(values, index) ** b(values, index);
    case "<":
      return comparisonOf(a, b, (x, y) => x < y);
    case "<=":
      return comparisonOf(a, b, (x, y) => x <= y);
    case ">":
      return comparisonOf(a, b, (x, y) => x > y);
    case ">=":
      return comparisonOf(a, b, (x, y) => x >= y);
    case "==":
      return comparisonOf(a, b, (x, y) => x === y);
    case "!=":
      return comparisonOf(a, b, (x, y) => x !== y);
    default:
      return unreachable(sign);
  }
}

// A comparison with what is no number is none: it must not turn a failed logarithm into a 0.
function comparisonOf(a: Evaluate, b: Evaluate, holds: (x: number, y: number) => boolean): Evaluate {
  return (values, index) => {
    const x = a(values, index);
    const y = b(values, index);
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
    return holds(x, y) ? 1 : 0;
  };
}

function callOf(name: FunctionName, inputs: readonly Evaluate[]): Evaluate {
  const [a, b, c] = inputs;
  switch (name) {
    case "min":
      return inputs.reduce((x, y) => (values, index) => Math.min(x(values, index), y(values, index)));
    case "max":
      return inputs.reduce((x, y) => (values, index) => Math.max(x(values, index), y(values, index)));
    case "pow":
      return operationOf("^", a!, b!);
    case "clamp":
      return (values, index) => Math.min(Math.max(a!(values, index), b!(values, index)), c!(values, index));
    case "if":
      return choiceOf(a!, b!, c!);
    default:
      return mapOf(unary[name], a!);
  }
}

// The branch that is not taken is not worked out: if(x == 0, 0, y / x) is never 0 / 0.
function choiceOf(condition: Evaluate, yes: Evaluate, no: Evaluate): Evaluate {
  return (values, index) => {
    const answer = condition(values, index);
    if (Number.isNaN(answer)) return answer;
    return answer === 0 ? no(values, index) : yes(values, index);
  };
}

const unary = {
  abs: Math.abs,
  ceil: Math.ceil,
  cos: Math.cos,
  exp: Math.exp,
  floor: Math.floor,
  log: Math.log,
  // Halves go up, as Math.round has it: round(-2.5) is -2.
  round: Math.round,
  sin: Math.sin,
  sqrt: Math.sqrt,
} as const;

function mapOf(map: (x: number) => number, input: Evaluate): Evaluate {
  return (values, index) => map(input(values, index));
}
