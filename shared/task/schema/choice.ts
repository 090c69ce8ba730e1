// Exactly one of several keys: `{ sgd: 0.01 }`, `{ range: { of: pm25 } }`. The key says how to read the value.

import { z } from "zod";
import { alternatives } from "../problem.js";

/** What a choice became: the key as `kind`, the parsed value beside it. */
export type Choice<Shape extends Readonly<Record<string, z.ZodType>>> = {
  readonly [Kind in keyof Shape & string]: { readonly kind: Kind; readonly value: z.output<Shape[Kind]> };
}[keyof Shape & string];

/** A map that must hold exactly one of the keys of `shape`. */
export function oneKey<Shape extends Readonly<Record<string, z.ZodType>>>(shape: Shape) {
  const optional = Object.fromEntries(Object.entries(shape).map(([key, schema]) => [key, schema.optional()]));
  return z
    .strictObject(optional)
    .refine((value) => Object.keys(value).length === 1, {
      error: `expected exactly one of ${alternatives(Object.keys(shape))}`,
    })
    .meta({ minProperties: 1, maxProperties: 1 })
    .transform((value) => {
      const [kind, parsed] = Object.entries(value)[0] ?? [];
      return { kind, value: parsed } as Choice<Shape>; // by the refinement: one key, parsed by its schema
    });
}
