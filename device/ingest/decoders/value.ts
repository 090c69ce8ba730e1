// One field's value in a message: a number, true or false as 1 or 0, or a vector of its declared length.

import type { Value } from "../../../shared/pipeline/types.js";

/** The value; null where it is missing, undefined when it does not fit the field. */
export function readValue(value: unknown, length: number): Value | undefined {
  if (value === undefined || value === null) return null;
  return length === 1 ? readNumber(value) : readVector(value, length);
}

function readNumber(value: unknown): number | undefined {
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function readVector(value: unknown, length: number): Float32Array | undefined {
  if (!Array.isArray(value) || value.length !== length) return undefined;
  const isNumeric = value.every((each) => typeof each === "number" && Number.isFinite(each));
  return isNumeric ? Float32Array.from(value) : undefined;
}
