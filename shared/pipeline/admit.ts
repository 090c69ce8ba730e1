// From a reading, which may hold anything, to a row, which holds only what the pipeline declared.

import type { Counters } from "../counters.js";
import { isSane } from "./magnitude.js";
import type { Field } from "./operators/port.js";
import type { PipelineRow, Reading, Value } from "./types.js";

// Year 9999: beyond it a time is a mistake of unit.
const MAX_TIME_MS = 253_402_300_799_999;

const MAX_ENTITY_LENGTH = 256;

/**
 * The row of a reading; undefined (counted) when its time is no whole number of ms from 1970 to 9999 or its entity's
 * name is too long. A value that is not of its field's type, not finite or beyond 1e18 becomes missing (counted as
 * `values.bad`); fields nobody reads are left behind. Vectors are taken as they are, without a copy.
 */
export function admitReading(
  reading: Reading,
  fields: readonly Field[],
  counters: Counters,
): PipelineRow | undefined {
  const { entity, timeMs, test = false } = reading;
  if (!Number.isInteger(timeMs) || timeMs < 0 || timeMs > MAX_TIME_MS) {
    counters.add("readings.bad-time");
    return undefined;
  }
  if (entity.length > MAX_ENTITY_LENGTH) {
    counters.add("readings.bad-entity");
    return undefined;
  }
  const values = fields.map((field) => admitValue(reading.values[field.name], field, counters));
  return { entity, timeMs, values, filled: undefined, test };
}

function admitValue(value: unknown, { length }: Field, counters: Counters): Value {
  if (value === null || value === undefined) return null;
  if (length === 1 && typeof value === "number" && isSane(value)) return value;
  if (length > 1 && value instanceof Float32Array && value.length === length && isAllSane(value))
    return value;
  counters.add("values.bad");
  return null;
}

function isAllSane(vector: Float32Array): boolean {
  for (let i = 0; i < vector.length; i++) if (!isSane(vector[i]!)) return false;
  return true;
}
