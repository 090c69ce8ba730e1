// missing: whether a field was measured, as a number.

import type { z } from "zod";
import type { PipelineRow } from "../types.js";
import { fieldNames, positionOf } from "./fields.js";
import { type FeatureOperator, type FeatureState, FREE, RowComputer } from "./port.js";

const params = fieldNames;

type Params = z.output<typeof params>;

/** 1 where the field was not measured at the row's own time, missing or filled, 0 where it was: `pm25.missing`. */
export const missing: FeatureOperator<Params> = {
  name: "missing",
  doc: "1 where a field was not measured, missing or filled, else 0: a field or a list.",
  example: { params: ["pm25", "temp"] },
  params,
  neverMissing: true,
  reads: (of) => of,
  columns(of, input) {
    of.forEach((name, i) => {
      positionOf(input, name, of.length === 1 ? [] : [i]);
    });
    return of.map((name) => `${name}.missing`);
  },
  create: (of, input) => new Missing(of.map((name) => positionOf(input, name, []))),
  cost: () => FREE,
};

class Missing extends RowComputer {
  readonly #positions: readonly number[];

  constructor(positions: readonly number[]) {
    super();
    this.#positions = positions;
  }

  push({ values, filled }: PipelineRow, out: Float32Array, offset: number): FeatureState {
    let at = offset;
    for (const position of this.#positions) {
      out[at++] = values[position] === null || filled?.[position] === true ? 1 : 0;
    }
    return "complete";
  }
}
