// median: a number in the middle of the last ones, which single outliers do not move.

import { z } from "zod";
import { Recent } from "../recent.js";
import type { Saved } from "../state.js";
import { cleanStep, type Judge } from "./clean.js";
import { fieldNames } from "./fields.js";
import type { StepOperator } from "./port.js";

const BYTES_PER_VALUE = 24;

const params = z.strictObject({
  of: fieldNames,
  n: z.int().min(2).max(10_000).describe("Values of the window, the current one included."),
});

/** Median (of an even number: the mean of the middle two) of the last n values, missing ones not counted. */
export const median: StepOperator<z.output<typeof params>> = cleanStep({
  name: "median",
  doc: "Each value becomes the median of the last n values, itself included: {of: field or fields, n: 5}. In the field's unit.",
  example: { params: { of: "distance", n: 5 } },
  params,
  create: ({ n }, counters) => new MedianFilter(new Recent({ kind: "rows", rows: n }, counters)),
  cost: ({ n }, { spacingMs = 0 }) => ({
    stateBytes: BYTES_PER_VALUE * n,
    warmUpMs: 0,
    warmUpRows: 1,
    reachMs: (n - 1) * spacingMs,
  }),
});

class MedianFilter implements Judge {
  readonly #recent: Recent;

  constructor(recent: Recent) {
    this.#recent = recent;
  }

  judge(timeMs: number, x: number): number {
    this.#recent.push(timeMs, x);
    return this.#recent.sorted.quantile(0.5);
  }

  save(): Saved {
    return this.#recent.save();
  }

  restore(saved: Saved): void {
    this.#recent.restore(saved);
  }
}
