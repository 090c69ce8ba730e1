// `steps` and `features`: chains and lists of operators, each `{ name: parameters }` as the registries know them.

import { z } from "zod";
import { featureOperators, stepOperators } from "../../pipeline/operators/registry.js";
import { oneKey } from "./choice.js";
import { named } from "./names.js";
import { scale } from "./scale.js";
import { from } from "./sources.js";

/** One call of an operator of `registry`. */
function operatorOf(
  registry: Readonly<Record<string, { readonly params: z.ZodType; readonly doc: string }>>,
) {
  const shape = Object.fromEntries(
    Object.entries(registry).map(([op, { params, doc }]) => [op, params.describe(doc)]),
  );
  return oneKey(shape).transform(({ kind, value }) => ({ op: kind, params: value }));
}

const step = z.strictObject({
  from,
  do: z.array(operatorOf(stepOperators)).min(1).max(32).describe("Operators on rows, applied in order."),
});

/** All steps by name. */
export const steps = named(step, 32)
  .prefault({})
  .describe("Chains of row operators: cleaning, resampling, windows.");

/** The model's input. */
export const features = z
  .strictObject({
    from,
    list: z.array(operatorOf(featureOperators)).min(1).max(128).describe("What becomes a column, in order."),
    missing: z
      .enum(["drop", "mask"])
      .prefault("drop")
      .describe(
        "A row without some value: drop it, or put 0 for the value and 1 into one more column, `<name>_missing`.",
      ),
    scale: scale.describe("How columns are scaled. Fitted scaling is frozen with the model."),
  })
  .describe("The model's input columns.");
