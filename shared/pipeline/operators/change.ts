// change: a value that cannot be reached that fast is no value.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import { durationMs } from "../../task/units.js";
import type { Saved } from "../state.js";
import { cleanStep, type Judge } from "./clean.js";
import { fieldNames } from "./fields.js";
import type { StepOperator } from "./port.js";

const params = z.strictObject({
  of: fieldNames,
  max: z.number().gt(0).describe("Most that the value may change, up or down, per `per`."),
  per: durationMs.prefault("1s"),
});

type Params = z.output<typeof params>;

/**
 * A value that changed faster than `max` per `per` since the last one that passed becomes missing, counted as
 * `change.too-fast`. The longer none passes, the further the next may lie: a true step is believed in the end.
 */
export const change: StepOperator<Params> = cleanStep({
  name: "change",
  doc: "Values that changed too fast since the last one that passed become missing: {of: field or fields, max: 5, per: 1m}.",
  example: { params: { of: "temp", max: 5, per: "1m" } },
  params,
  create: (params, counters) => new ChangeCheck(params, counters),
  cost: () => ({ stateBytes: 16, warmUpMs: 0, warmUpRows: 1 }),
});

class ChangeCheck implements Judge {
  readonly #maxPerMs: number;
  readonly #counters: Counters;
  #last = Number.NaN;
  #lastMs = 0;

  constructor({ max, per }: Params, counters: Counters) {
    this.#maxPerMs = max / per;
    this.#counters = counters;
  }

  judge(timeMs: number, x: number): number {
    // Before the first value, NaN compares false: it passes.
    if (Math.abs(x - this.#last) > this.#maxPerMs * (timeMs - this.#lastMs)) {
      this.#counters.add("change.too-fast");
      return Number.NaN;
    }
    this.#last = x;
    this.#lastMs = timeMs;
    return x;
  }

  save(): Saved {
    return [this.#last, this.#lastMs];
  }

  restore(saved: Saved): void {
    [this.#last, this.#lastMs] = saved as [number, number]; // as `save` made it
  }
}
