// How operators name fields in their parameters, and find them in their input.

import { z } from "zod";
import { didYouMean } from "../../task/suggest.js";
import { type Field, type Input, OperatorError } from "./port.js";

const FIELD = /^[A-Za-z][A-Za-z0-9_.-]{0,127}$/;
const FIELD_RULE = "expected a field: 1-128 letters, digits, _, - or ., starting with a letter";

/** One field. Dots occur in the names of windows' outputs: `temp.mean`. */
export const fieldName = z.string({ error: FIELD_RULE }).regex(FIELD, { error: FIELD_RULE });

/** One field or several, always a list after parsing. */
export const fieldNames = z
  .union([fieldName, z.array(fieldName).min(1).max(1024)], { error: `${FIELD_RULE}; or a list of fields` })
  .transform((value) => (typeof value === "string" ? [value] : value));

/** Where the input has field `name`. */
export function positionOf({ fields }: Input, name: string, path: readonly (string | number)[]): number {
  const position = fields.findIndex((field) => field.name === name);
  if (position >= 0) return position;
  throw new OperatorError(path, unknownField(name, fields));
}

/** What to say of a name that none of `fields` has. */
export function unknownField(name: string, fields: readonly Field[]): string {
  const names = fields.map((field) => field.name);
  const hint = didYouMean(name, names) || `; there are ${names.slice(0, 20).join(", ") || "none"}`;
  return `no field is called "${name}" here${hint}`;
}

/** Where the input has field `name`, which must be a number. */
export function numberPosition(input: Input, name: string, path: readonly (string | number)[]): number {
  const position = positionOf(input, name, path);
  const { length } = input.fields[position]!;
  if (length === 1) return position;
  throw new OperatorError(path, `takes numbers: "${name}" is a vector of ${length}`);
}

/** Where the input has the fields of a parameter `of`, which must all be numbers. */
export function numberPositions(of: readonly string[], input: Input): number[] {
  return of.map((name, i) => numberPosition(input, name, of.length === 1 ? ["of"] : ["of", i]));
}

/** `wanted` and `needed`, each name once: what an operator reads that lets all other fields pass. */
export function alsoReads(wanted: readonly string[], needed: readonly string[]): readonly string[] {
  return [...new Set([...wanted, ...needed])];
}
