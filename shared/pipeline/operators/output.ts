// The fields of steps that add some to those that pass.

import type { Value } from "../types.js";
import { type Field, type Input, OperatorError } from "./port.js";

/** The input's fields, each in its place, replaced by the one of `added` that has its name; the others of `added` follow. */
export function withFields({ fields, spacingMs }: Input, added: readonly Field[]): Input {
  const kept = fields.map((field) => added.find(({ name }) => name === field.name) ?? field);
  const fresh = added.filter(({ name }) => !fields.some((field) => field.name === name));
  return { fields: [...kept, ...fresh], spacingMs };
}

/** Refuses a name that the input has already, unless the field `own` is meant to be replaced. */
export function refuseTaken({ fields }: Input, name: string, own: string): void {
  if (name === own || !fields.some((field) => field.name === name)) return;
  throw new OperatorError(["as"], `a field "${name}" is there already`);
}

/** A copy of a row's values with room for `width`. */
export function widened(values: readonly Value[], width: number): Value[] {
  const copy = values.slice();
  while (copy.length < width) copy.push(null);
  return copy;
}

/** A copy of a row's marks with room for `width`. */
export function widenedMarks(filled: readonly boolean[], width: number): boolean[] {
  const copy = filled.slice();
  while (copy.length < width) copy.push(false);
  return copy;
}
