// age: how old the last measurement is.

import type { z } from "zod";
import type { Saved } from "../state.js";
import type { PipelineRow } from "../types.js";
import { fieldNames, positionOf } from "./fields.js";
import type { FeatureComputer, FeatureOperator, FeatureState } from "./port.js";

const params = fieldNames;

type Params = z.output<typeof params>;

/** Seconds since the field was last measured, neither missing nor filled: 0 where it was just now, missing where it never was. */
export const age: FeatureOperator<Params> = {
  name: "age",
  doc: "Seconds since a field was last measured, neither missing nor filled: a field or a list.",
  example: { params: ["pm25", "temp"] },
  params,
  reads: (of) => of,
  columns(of, input) {
    of.forEach((name, i) => {
      positionOf(input, name, of.length === 1 ? [] : [i]);
    });
    return of.map((name) => `${name}.age_seconds`);
  },
  create: (of, input) => new Age(of.map((name) => positionOf(input, name, []))),
  cost: (of) => ({ stateBytes: 8 * of.length, warmUpMs: 0, warmUpRows: 1 }),
};

class Age implements FeatureComputer {
  readonly #positions: readonly number[];
  readonly #measuredMs: Float64Array;

  constructor(positions: readonly number[]) {
    this.#positions = positions;
    this.#measuredMs = new Float64Array(positions.length).fill(Number.NaN);
  }

  push({ timeMs, values, filled }: PipelineRow, out: Float32Array, offset: number): FeatureState {
    let state: FeatureState = "complete";
    this.#positions.forEach((position, i) => {
      if (values[position] !== null && filled?.[position] !== true) this.#measuredMs[i] = timeMs;
      const seconds = (timeMs - this.#measuredMs[i]!) / 1_000;
      if (Number.isNaN(seconds)) state = "missing";
      out[offset + i] = seconds;
    });
    return state;
  }

  save(): Saved {
    return this.#measuredMs;
  }

  restore(saved: Saved): void {
    this.#measuredMs.set(saved as Float64Array); // as `save` made it
  }
}
