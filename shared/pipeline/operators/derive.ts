// derive: new fields from the fields of the same row, by formula.

import { z } from "zod";
import { type Compiled, compileExpression, fieldsOf } from "../expression/compile.js";
import { parseExpression } from "../expression/parse.js";
import { ExpressionError } from "../expression/tokens.js";
import { isSane } from "../magnitude.js";
import type { PipelineRow, Value } from "../types.js";
import { fieldName } from "./fields.js";
import { widened, widenedMarks, withFields } from "./output.js";
import type { StepContext, StepOperator } from "./port.js";
import { type Cost, type Field, type Input, OperatorError, RowStep } from "./port.js";

const formula = z
  .string({ error: 'expected a formula in quotes, such as "t_in - t_out"' })
  .check((context) => {
    const problem = problemOf(context.value);
    if (problem !== undefined)
      context.issues.push({ code: "custom", input: context.value, message: problem });
  });

const params = z
  .record(fieldName, formula)
  .refine((formulas) => Object.keys(formulas).length >= 1, { error: "expected at least one formula" })
  .refine((formulas) => Object.keys(formulas).length <= 64, { error: "expected at most 64 formulas" });

type Params = z.output<typeof params>;

/**
 * Fields by formula: + - * / ^, comparisons (1 or 0), min max abs sqrt log exp sin cos floor ceil round if clamp pow.
 * All formulas read the row as it came in, so their order means nothing; a name that is there already is replaced.
 * A missing value in, a missing value out. What is no number, or beyond 1e18, becomes missing, counted as
 * `derive.not-finite`. Vectors of equal length are worked out element by element.
 */
export const derive: StepOperator<Params> = {
  name: "derive",
  doc: 'Fields by formula, one name each: {mag: "sqrt(ax*ax + ay*ay)", delta: "t_in - t_out"}. + - * / ^, comparisons (1 or 0), min max abs sqrt log exp sin cos floor ceil round if clamp pow. Missing in, missing out.',
  example: { params: { mag: "sqrt(ax*ax + ay*ay)", warm: "if(ax > 20, 1, 0)" } },
  params,
  reads: (formulas, wanted) => [
    ...new Set([
      ...wanted.filter((name) => !Object.hasOwn(formulas, name)),
      ...Object.values(formulas).flatMap((text) => fieldsOf(parseExpression(text))),
    ]),
  ],
  output: (formulas, input) => withFields(input, derivedFields(formulas, input)),
  create: (formulas, input, context) => new Derive(formulas, input, context),
  cost: (formulas, input): Cost => {
    const vectors = derivedFields(formulas, input).filter(({ length }) => length > 1);
    return {
      stateBytes: vectors.reduce((sum, { length }) => sum + 4 * length, 0),
      warmUpMs: 0,
      warmUpRows: 0,
    };
  },
};

function derivedFields(formulas: Params, input: Input): readonly Field[] {
  return Object.entries(formulas).map(([name, text]) => {
    const { length, positions } = compiled(name, text, input);
    const rateHz = length === 1 ? undefined : commonRate(positions.map((at) => input.fields[at]!));
    return { name, length, ...(rateHz === undefined ? {} : { rateHz }) };
  });
}

function compiled(name: string, text: string, { fields }: Input): Compiled {
  try {
    return compileExpression(parseExpression(text), fields);
  } catch (error) {
    if (error instanceof ExpressionError) throw new OperatorError([name], error.message);
    throw error;
  }
}

// Made from samples of one rate, a vector holds samples of that rate.
function commonRate(fields: readonly Field[]): number | undefined {
  const [rateHz, ...others] = new Set(fields.filter(({ length }) => length > 1).map((field) => field.rateHz));
  return others.length === 0 ? rateHz : undefined;
}

function problemOf(text: string): string | undefined {
  try {
    parseExpression(text);
    return undefined;
  } catch (error) {
    if (error instanceof ExpressionError) return error.message;
    throw error;
  }
}

interface Formula extends Compiled {
  /** Where its field is in the output. */
  readonly to: number;
}

class Derive extends RowStep {
  readonly #formulas: readonly Formula[];
  readonly #width: number;
  readonly #context: StepContext;

  constructor(formulas: Params, input: Input, context: StepContext) {
    super();
    const { fields } = withFields(input, derivedFields(formulas, input));
    this.#width = fields.length;
    this.#formulas = Object.entries(formulas).map(([name, text]) => ({
      ...compiled(name, text, input),
      to: fields.findIndex((field) => field.name === name),
    }));
    this.#context = context;
  }

  push(row: PipelineRow): void {
    const values = widened(row.values, this.#width);
    for (const formula of this.#formulas) values[formula.to] = this.#valueOf(formula, row.values);
    this.#context.emit({ ...row, values, filled: this.#filledOf(row) });
  }

  #valueOf(formula: Formula, values: readonly Value[]): Value {
    if (formula.positions.some((position) => values[position] === null)) return null;
    const value = formula.length === 1 ? formula.evaluate(values, 0) : vectorOf(formula, values);
    if (typeof value === "number" ? isSane(value) : value.every(isSane)) return value;
    this.#context.counters.add("derive.not-finite");
    return null;
  }

  // What was made from a filled value was not measured either.
  #filledOf({ filled }: PipelineRow): readonly boolean[] | undefined {
    if (filled === undefined) return undefined;
    const marks = widenedMarks(filled, this.#width);
    for (const { to, positions } of this.#formulas)
      marks[to] = positions.some((position) => filled[position]);
    return marks;
  }
}

function vectorOf({ length, evaluate }: Formula, values: readonly Value[]): Float32Array {
  const vector = new Float32Array(length);
  for (let index = 0; index < length; index++) vector[index] = evaluate(values, index);
  return vector;
}
