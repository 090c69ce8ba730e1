// range: a value outside its physical limits is no value.

import { z } from "zod";
import type { PipelineRow, Value } from "../types.js";
import { alsoReads, fieldNames, numberPosition } from "./fields.js";
import { FREE, RowStep, type StepContext, type StepOperator } from "./port.js";

const params = z
  .strictObject({ of: fieldNames, min: z.number().optional(), max: z.number().optional() })
  .refine(({ min, max }) => min !== undefined || max !== undefined, { error: "expected min, max or both" })
  .refine(({ min = -Infinity, max = Infinity }) => min <= max, { error: "expected min at most max" });

type Params = z.output<typeof params>;

/** Numbers outside [min, max] become missing, counted as `range.out`. */
export const range: StepOperator<Params> = {
  name: "range",
  doc: "Values outside [min, max] become missing: {of: field or fields, min, max}.",
  example: { params: { of: "pm25", min: 0, max: 999 } },
  params,
  reads: ({ of }, wanted) => alsoReads(wanted, of),
  output({ of }, input) {
    for (const name of of) numberPosition(input, name, ["of"]);
    return input;
  },
  create({ of, min = -Infinity, max = Infinity }, input, context) {
    const positions = of.map((name) => numberPosition(input, name, ["of"]));
    return new Range(positions, min, max, context);
  },
  cost: () => FREE,
};

class Range extends RowStep {
  readonly #positions: readonly number[];
  readonly #min: number;
  readonly #max: number;
  readonly #context: StepContext;

  constructor(positions: readonly number[], min: number, max: number, context: StepContext) {
    super();
    this.#positions = positions;
    this.#min = min;
    this.#max = max;
    this.#context = context;
  }

  push(row: PipelineRow): void {
    let values: Value[] | undefined;
    for (const position of this.#positions) {
      const value = row.values[position];
      if (typeof value !== "number" || (value >= this.#min && value <= this.#max)) continue;
      values ??= [...row.values];
      values[position] = null;
      this.#context.counters.add("range.out");
    }
    this.#context.emit(values === undefined ? row : { ...row, values });
  }
}
