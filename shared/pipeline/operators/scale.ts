// scale: a number in another unit.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import { isSane } from "../magnitude.js";
import { cleanStep, MemorylessJudge } from "./clean.js";
import { fieldNames } from "./fields.js";
import { FREE, type StepOperator } from "./port.js";

const params = z
  .strictObject({
    of: fieldNames,
    times: z.number().optional().describe("Default 1."),
    plus: z.number().optional().describe("Added after multiplying. Default 0."),
  })
  .refine(({ times, plus }) => times !== undefined || plus !== undefined, {
    error: "expected times, plus or both",
  });

type Params = z.output<typeof params>;

/** x * times + plus. What comes out beyond 1e18 becomes missing, counted as `scale.not-finite`. */
export const scale: StepOperator<Params> = cleanStep({
  name: "scale",
  doc: "Values times a factor plus an offset: {of: field or fields, times: 1.8, plus: 32}.",
  example: { params: { of: "temp", times: 1.8, plus: 32 } },
  params,
  create: (params, counters) => new Affine(params, counters),
  cost: () => FREE,
});

class Affine extends MemorylessJudge {
  readonly #times: number;
  readonly #plus: number;
  readonly #counters: Counters;

  constructor({ times = 1, plus = 0 }: Params, counters: Counters) {
    super();
    this.#times = times;
    this.#plus = plus;
    this.#counters = counters;
  }

  judge(_timeMs: number, x: number): number {
    const scaled = x * this.#times + this.#plus;
    if (isSane(scaled)) return scaled;
    this.#counters.add("scale.not-finite");
    return Number.NaN;
  }
}
