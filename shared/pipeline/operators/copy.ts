// copy: the row's own values.

import type { z } from "zod";
import type { PipelineRow } from "../types.js";
import { fieldNames, positionOf } from "./fields.js";
import { type FeatureComputer, type FeatureOperator, type FeatureState, FREE, type Input } from "./port.js";

const params = fieldNames;

type Params = z.output<typeof params>;

/** Numbers as they are; a vector becomes the columns `pixels_0`, `pixels_1`, ... */
export const copy: FeatureOperator<Params> = {
  name: "copy",
  doc: "The row's own values: a field or a list; a vector becomes one column per element.",
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

class Copy implements FeatureComputer {
  readonly #positions: readonly number[];

  constructor(of: Params, input: Input) {
    this.#positions = of.map((name, i) => positionOf(input, name, [i]));
  }

  push({ values }: PipelineRow, out: Float32Array, offset: number): FeatureState {
    let at = offset;
    for (const position of this.#positions) {
      const value = values[position]!;
      if (value === null) return "missing";
      if (typeof value === "number") {
        out[at++] = value;
      } else {
        out.set(value, at);
        at += value.length;
      }
    }
    return "complete";
  }
}
