// range: a value outside its physical limits is no value. clip: it is the limit.

import { z } from "zod";
import type { Counters } from "../../counters.js";
import { cleanStep, MemorylessJudge } from "./clean.js";
import { fieldNames } from "./fields.js";
import { FREE, type StepOperator } from "./port.js";

const params = z
  .strictObject({ of: fieldNames, min: z.number().optional(), max: z.number().optional() })
  .refine(({ min, max }) => min !== undefined || max !== undefined, { error: "expected min, max or both" })
  .refine(({ min = -Infinity, max = Infinity }) => min <= max, { error: "expected min at most max" });

type Params = z.output<typeof params>;

/** Numbers outside [min, max] become missing, counted as `range.out`. */
export const range: StepOperator<Params> = cleanStep({
  name: "range",
  doc: "Values outside [min, max] become missing: {of: field or fields, min, max}.",
  example: { params: { of: "pm25", min: 0, max: 999 } },
  params,
  create: (params, counters) => new Limits(params, () => Number.NaN, { counters, key: "range.out" }),
  cost: () => FREE,
});

/** Numbers outside [min, max] become the nearer limit, counted as `clip.clipped`. */
export const clip: StepOperator<Params> = cleanStep({
  name: "clip",
  doc: "Values outside [min, max] become the nearer limit: {of: field or fields, min, max}.",
  example: { params: { of: "humidity", min: 0, max: 100 } },
  params,
  create: (params, counters) => new Limits(params, (limit) => limit, { counters, key: "clip.clipped" }),
  cost: () => FREE,
});

interface Count {
  readonly counters: Counters;
  readonly key: string;
}

/** Lets numbers within [min, max] pass. */
class Limits extends MemorylessJudge {
  readonly #min: number;
  readonly #max: number;
  readonly #instead: (limit: number) => number;
  readonly #count: Count;

  /** `instead`: what stands for a number beyond `limit`. */
  constructor({ min = -Infinity, max = Infinity }: Params, instead: (limit: number) => number, count: Count) {
    super();
    this.#min = min;
    this.#max = max;
    this.#instead = instead;
    this.#count = count;
  }

  judge(_timeMs: number, x: number): number {
    if (x >= this.#min && x <= this.#max) return x;
    this.#count.counters.add(this.#count.key);
    return this.#instead(x < this.#min ? this.#min : this.#max);
  }
}
