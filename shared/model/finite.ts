// Numbers that are none, found before they spread: which row and column, which param.

import { assert } from "../assert.js";
import { HeadwaterError } from "../error.js";
import type { ParamSpec } from "../params/spec.js";

/** Throws HeadwaterError `data-invalid` naming the param that holds NaN or Infinity. */
export function checkParams(params: Float32Array, { count, entries }: ParamSpec): void {
  assert(params.length === count, `${params.length} params for a model of ${count}`);
  const at = firstNotFinite(params);
  if (at === undefined) return;
  const entry = entries.find(({ offset, size }) => at < offset + size)!;
  const place = `param ${JSON.stringify(entry.name)} [${entry.shape.join(", ")}]`;
  throw new HeadwaterError("data-invalid", `${place} holds ${params[at]} at ${at - entry.offset}`);
}

/**
 * Throws HeadwaterError `data-invalid` unless `values` holds `rows` (at least one) finite rows of `columns`. `what` is
 * "input" or "label".
 */
export function checkRows(values: Float32Array, rows: number, columns: number, what: string): void {
  checkLength(values, rows, columns, what);
  const at = firstNotFinite(values);
  if (at === undefined) return;
  const place = `${what} row ${Math.floor(at / columns)}, column ${at % columns}`;
  throw new HeadwaterError("data-invalid", `${place} is ${values[at]}`);
}

/** Throws HeadwaterError `data-invalid` unless `values` holds `rows` (at least one) rows of `columns`. */
export function checkLength(values: Float32Array, rows: number, columns: number, what: string): void {
  if (Number.isInteger(rows) && rows >= 1 && values.length === rows * columns) return;
  throw new HeadwaterError(
    "data-invalid",
    `${what} holds ${values.length} values, expected ${rows} rows of ${columns}`,
  );
}

function firstNotFinite(values: Float32Array): number | undefined {
  // One pass without a branch per value: a sum of zeros is NaN when a value is not finite.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
  if (sum === 0) return undefined;
  return values.findIndex((value) => !Number.isFinite(value));
}
