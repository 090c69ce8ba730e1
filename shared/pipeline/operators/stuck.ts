// stuck: a sensor that says the same for too long says nothing.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import { durationMs } from "../../task/units.js";
import type { Saved } from "../state.js";
import { cleanStep, type Judge } from "./clean.js";
import { fieldNames } from "./fields.js";
import type { StepOperator } from "./port.js";

const params = z.strictObject({
  of: fieldNames,
  for: durationMs.describe("After so long without a change the value is missing."),
  within: z
    .number()
    .min(0)
    .prefault(0)
    .describe("A change of up to this much, in the field's unit, is none."),
});

type Params = z.output<typeof params>;

/**
 * From `for` on after the first of equal values, they become missing until one differs by more than `within` from that
 * first one; counted as `stuck.stuck`. What was said before stays: nobody knew yet.
 */
export const stuck: StepOperator<Params> = cleanStep({
  name: "stuck",
  doc: "A value that has not changed for so long becomes missing until it does: {of: field or fields, for: 30m, within: 0}.",
  example: { params: { of: "temp", for: "30m" } },
  params,
  create: (params, counters) => new StuckCheck(params, counters),
  cost: () => ({ stateBytes: 16, warmUpMs: 0, warmUpRows: 1 }),
});

class StuckCheck implements Judge {
  readonly #forMs: number;
  readonly #within: number;
  readonly #counters: Counters;
  #first = Number.NaN;
  #firstMs = 0;

  constructor(params: Params, counters: Counters) {
    this.#forMs = params.for;
    this.#within = params.within;
    this.#counters = counters;
  }

  judge(timeMs: number, x: number): number {
    if (!(Math.abs(x - this.#first) <= this.#within)) {
      this.#first = x;
      this.#firstMs = timeMs;
      return x;
    }
    if (timeMs - this.#firstMs < this.#forMs) return x;
    this.#counters.add("stuck.stuck");
    return Number.NaN;
  }

  save(): Saved {
    return [this.#first, this.#firstMs];
  }

  restore(saved: Saved): void {
    [this.#first, this.#firstMs] = saved as [number, number]; // as `save` made it
  }
}
