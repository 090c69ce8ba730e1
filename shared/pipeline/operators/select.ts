// select: some fields, and no others.

import type { z } from "zod";
import type { PipelineRow } from "../types.js";
import { fieldNames, positionOf } from "./fields.js";
import { FREE, RowStep, type StepContext, type StepOperator } from "./port.js";

const params = fieldNames;

type Params = z.output<typeof params>;

/** Lets only these fields pass, in this order. */
export const select: StepOperator<Params> = {
  name: "select",
  doc: "Only these fields pass: a field or a list.",
  example: { params: ["temp", "hum"] },
  params,
  reads: (of) => [...new Set(of)],
  output: (of, input) => ({
    ...input,
    fields: positionsOf(of, input).map((position) => input.fields[position]!),
  }),
  create: (of, input, context) => new Select(positionsOf(of, input), context),
  cost: () => FREE,
};

function positionsOf(of: Params, input: Parameters<typeof positionOf>[0]): readonly number[] {
  return [...new Set(of)].map((name, i) => positionOf(input, name, of.length === 1 ? [] : [i]));
}

class Select extends RowStep {
  readonly #positions: readonly number[];
  readonly #context: StepContext;

  constructor(positions: readonly number[], context: StepContext) {
    super();
    this.#positions = positions;
    this.#context = context;
  }

  push({ entity, timeMs, values, filled, test }: PipelineRow): void {
    this.#context.emit({
      entity,
      timeMs,
      values: this.#positions.map((position) => values[position]!),
      filled: filled && this.#positions.map((position) => filled[position]!),
      test,
    });
  }
}
