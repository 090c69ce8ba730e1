// onehot: a number that means one of several things, as one column for each.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import type { PipelineRow } from "../types.js";
import { fieldName, numberPosition } from "./fields.js";
import { type FeatureOperator, type FeatureState, FREE, RowComputer } from "./port.js";

const MAX_VALUES = 1_000;

const params = z
  .strictObject({
    of: fieldName,
    values: z.array(z.number()).min(1).max(MAX_VALUES).optional(),
    categories: z.int().min(2).max(MAX_VALUES).optional().describe("For 0, 1, ... up to one less than this."),
    unknown: z.boolean().prefault(true).describe("One more column, for every other value."),
  })
  .refine(({ values, categories }) => (values === undefined) !== (categories === undefined), {
    error: 'expected exactly one of "values" or "categories"',
  })
  .refine(({ values = [] }) => new Set(values).size === values.length, {
    error: "expected each value once",
    path: ["values"],
  })
  .transform(({ of, values, categories = 0, unknown }) => ({
    of,
    values: values ?? Array.from({ length: categories }, (_, value) => value),
    unknown,
  }));

type Params = z.output<typeof params>;

/**
 * 1 in the value's own column, 0 in the others: `mode.is_2`, and `mode.unknown` for any other value, counted as
 * `onehot.unknown`. Without that column, an unknown value is 0 everywhere. A missing value is missing.
 */
export const onehot: FeatureOperator<Params> = {
  name: "onehot",
  doc: "One column, 0 or 1, per value of a field, and one for all others: {of: mode, values: [0, 1, 2], unknown: true} or {of: mode, categories: 3}.",
  example: { params: { of: "mode", values: [0, 1, 2] } },
  moreExamples: [{ params: { of: "mode", categories: 12, unknown: false } }],
  params,
  reads: ({ of }) => [of],
  columns({ of, values, unknown }, input) {
    numberPosition(input, of, ["of"]);
    return [...values.map((value) => `${of}.is_${value}`), ...(unknown ? [`${of}.unknown`] : [])];
  },
  create: (params, input, counters) => new OneHot(params, numberPosition(input, params.of, ["of"]), counters),
  cost: () => FREE,
};

class OneHot extends RowComputer {
  readonly #position: number;
  readonly #columnOf: ReadonlyMap<number, number>;
  readonly #width: number;
  readonly #counters: Counters;

  constructor({ values, unknown }: Params, position: number, counters: Counters) {
    super();
    this.#position = position;
    this.#columnOf = new Map(values.map((value, column) => [value, column]));
    this.#width = values.length + (unknown ? 1 : 0);
    this.#counters = counters;
  }

  push({ values }: PipelineRow, out: Float32Array, offset: number): FeatureState {
    const value = values[this.#position];
    if (typeof value !== "number") {
      out.fill(Number.NaN, offset, offset + this.#width);
      return "missing";
    }
    out.fill(0, offset, offset + this.#width);
    const column = this.#columnOf.get(value) ?? this.#unknown();
    if (column < this.#width) out[offset + column] = 1;
    return "complete";
  }

  // The column behind the known ones, if there is one.
  #unknown(): number {
    this.#counters.add("onehot.unknown");
    return this.#columnOf.size;
  }
}
