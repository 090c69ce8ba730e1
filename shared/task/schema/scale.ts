// `scale`: how columns and labels are brought to like size.

import { z } from "zod";
import { unreachable } from "../../assert.js";
import type { ScaleSpec } from "../task.js";
import { oneKey } from "./choice.js";

const BOUND = 1e12;
const finite = z.number().min(-BOUND).max(BOUND);
const fit = z
  .literal("federated")
  .prefault("federated")
  .describe("Fitted by the fleet before the first round.");

const rangeRule = "expected [low, high] with low below high, such as [-1, 1]";

const options = oneKey({
  standard: z.strictObject({ fit }).describe("To mean 0 and standard deviation 1."),
  robust: z
    .strictObject({ fit })
    .describe(
      "(x - median) / (upper - lower quartile): outliers do not matter. Devices share 81 quantiles per column.",
    ),
  minmax: z
    .tuple([finite, finite], { error: rangeRule })
    .refine(([low, high]) => low < high, { error: rangeRule })
    .describe("To [low, high], fitted by the fleet before the first round."),
  constant: z
    .strictObject({
      offset: finite.prefault(0),
      divide: finite.refine((value) => value !== 0, { error: "expected anything but 0" }).prefault(1),
    })
    .describe("(x - offset) / divide: nothing is fitted, nothing is shared."),
});

/** How values are scaled. */
export const scale = z
  .union([z.enum(["none", "standard", "robust", "minmax"]), options], {
    error:
      'expected "none", "standard", "robust", "minmax", {minmax: [low, high]} or {constant: {offset, divide}}',
  })
  .prefault("none")
  .transform((value): ScaleSpec => (typeof value === "string" ? byWord(value) : byOptions(value)));

function byWord(word: "none" | "standard" | "robust" | "minmax"): ScaleSpec {
  return word === "minmax" ? { kind: "minmax", low: 0, high: 1 } : { kind: word };
}

function byOptions(choice: z.output<typeof options>): ScaleSpec {
  switch (choice.kind) {
    case "standard":
    case "robust":
      return { kind: choice.kind };
    case "minmax":
      return { kind: "minmax", low: choice.value[0], high: choice.value[1] };
    case "constant":
      return { kind: "constant", offset: choice.value.offset, factor: 1 / choice.value.divide };
    default:
      return unreachable(choice);
  }
}
