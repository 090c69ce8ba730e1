// One field's value in a message: a number, true or false as 1 or 0, text as its rule says, or a vector of its
// declared length; then in the unit that the task wants.

import type { Field } from "../../../shared/pipeline/operators/port.js";
import type { Value } from "../../../shared/pipeline/types.js";
import type { ConvertSpec, TextSpec } from "../../../shared/task/decode-spec.js";
import { asText, fnv1a, parseBoolean, parseNumber } from "./text.js";

/** How one field's values are read. */
export interface ValueRule {
  readonly field: Field;
  readonly text: TextSpec | undefined;
  readonly convert: ConvertSpec | undefined;
  /** The format knows only text: "21.5" is a number there. */
  readonly isTextual: boolean;
}

/** The value of text that is not in its field's list. */
export const UNKNOWN_TEXT = -1;

/** Reads a value; null where it is missing, undefined when it does not fit the field. */
export type ReadValue = (value: unknown) => Value | undefined;

/** A reader by this rule. */
export function createValueReader({ field, text, convert, isTextual }: ValueRule): ReadValue {
  const read =
    field.length > 1
      ? (value: unknown) => readVector(value, field.length)
      : text === undefined
        ? (value: unknown) => readNumber(value, isTextual)
        : createTextReader(text);
  return (value) => {
    if (value === undefined || value === null) return null;
    const found = read(value);
    return found === undefined || convert === undefined ? found : converted(found, convert);
  };
}

function readNumber(value: unknown, isTextual: boolean): number | undefined {
  switch (typeof value) {
    case "boolean":
      return value ? 1 : 0;
    case "number":
      return Number.isFinite(value) ? value : undefined;
    case "string":
      return parseBoolean(value) ?? (isTextual ? parseNumber(value) : undefined);
    default:
      return undefined;
  }
}

function readVector(value: unknown, length: number): Float32Array | undefined {
  if (!Array.isArray(value) && !(value instanceof Float64Array)) return undefined;
  if (value.length !== length) return undefined;
  const vector = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const each: unknown = value[i];
    if (typeof each !== "number" || !Number.isFinite(each)) return undefined;
    vector[i] = each;
  }
  return vector;
}

function createTextReader(rule: TextSpec): (value: unknown) => number | undefined {
  switch (rule.kind) {
    case "number":
      return (value) =>
        typeof value === "number" ? readNumber(value, true) : parseNumber(asText(value) ?? "");
    case "hash":
      return (value) => {
        const text = asText(value);
        return text === undefined ? undefined : fnv1a(text);
      };
    case "list": {
      const places = new Map(rule.words.map((word, place) => [word, place]));
      return (value) => {
        const text = asText(value);
        return text === undefined ? undefined : (places.get(text) ?? UNKNOWN_TEXT);
      };
    }
  }
}

// A vector is fresh from its message: nobody else has seen it.
function converted(value: number | Float32Array, { times, plus }: ConvertSpec): number | Float32Array {
  if (typeof value === "number") return value * times + plus;
  for (let i = 0; i < value.length; i++) value[i] = value[i]! * times + plus;
  return value;
}
