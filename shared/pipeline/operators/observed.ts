// observed: no column, but a condition.

import type { z } from "zod";
import type { PipelineRow } from "../types.js";
import { fieldNames, positionOf } from "./fields.js";
import { type FeatureOperator, type FeatureState, FREE, type Input, RowComputer } from "./port.js";

const params = fieldNames;

type Params = z.output<typeof params>;

/**
 * A row counts only when these fields were measured at its own time, neither missing nor filled. It still serves
 * other rows as their past: a lag may well read a held value.
 */
export const observed: FeatureOperator<Params> = {
  name: "observed",
  doc: "Adds no column: rows count only where these fields were measured, not filled by resample.",
  example: { params: "pm25" },
  params,
  reads: (of) => of,
  columns(of, input) {
    of.forEach((name, i) => {
      positionOf(input, name, of.length === 1 ? [] : [i]);
    });
    return [];
  },
  create: (of, input) => new Observed(of, input),
  cost: () => FREE,
};

class Observed extends RowComputer {
  readonly #positions: readonly number[];

  constructor(of: Params, input: Input) {
    super();
    this.#positions = of.map((name, i) => positionOf(input, name, [i]));
  }

  push({ values, filled }: PipelineRow): FeatureState {
    for (const position of this.#positions) {
      if (values[position] === null || filled?.[position] === true) return "unobserved";
    }
    return "complete";
  }
}
