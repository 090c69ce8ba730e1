// copy: the row's own values.

import type { z } from "zod";
import type { PipelineRow } from "../types.js";
import { fieldNames, positionOf } from "./fields.js";
import { type FeatureOperator, type FeatureState, FREE, type Input, RowComputer } from "./port.js";

const params = fieldNames;

type Params = z.output<typeof params>;

/** Numbers as they are; a vector becomes the columns `pixels_0`, `pixels_1`, ... */
export const copy: FeatureOperator<Params> = {
  name: "copy",
  doc: "The row's own values: a field or a list; a vector becomes one column per element.",
  example: { params: ["pm25", "temp"] },
  params,
  reads: (of) => of,
  columns(of, input) {
    return of.flatMap((name, i) => {
      const { length } = input.fields[positionOf(input, name, of.length === 1 ? [] : [i])]!;
      return length === 1 ? [name] : Array.from({ length }, (_, element) => `${name}_${element}`);
    });
  },
  create: (of, input) => new Copy(of, input),
  cost: () => FREE,
};

class Copy extends RowComputer {
  readonly #fields: readonly { readonly position: number; readonly length: number }[];

  constructor(of: Params, input: Input) {
    super();
    this.#fields = of.map((name, i) => {
      const position = positionOf(input, name, [i]);
      return { position, length: input.fields[position]!.length };
    });
  }

  push({ values }: PipelineRow, out: Float32Array, offset: number): FeatureState {
    let at = offset;
    let state: FeatureState = "complete";
    for (const { position, length } of this.#fields) {
      const value = values[position]!;
      if (typeof value === "number") out[at] = value;
      else if (value !== null) out.set(value, at);
      else {
        out.fill(Number.NaN, at, at + length);
        state = "missing";
      }
      at += length;
    }
    return state;
  }
}
