// What a caller gives a model, checked before it spreads: which row and column, which param, which length.

import { assert } from "../assert.js";
import { HeadwaterError } from "../error.js";
import type { ParamSpec } from "../params/spec.js";
import { isAllFinite } from "../params/vector.js";
import type { StepTerms } from "./runtime.js";

/** Throws HeadwaterError `data-invalid` naming the param that holds NaN or Infinity. */
export function checkParams(params: Float32Array, { count, entries }: ParamSpec): void {
  assert(params.length === count, `${params.length} params for a model of ${count}`);
  if (isAllFinite(params)) return;
  const at = params.findIndex((value) => !Number.isFinite(value));
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
  if (isAllFinite(values)) return;
  const at = values.findIndex((value) => !Number.isFinite(value));
  throw notFinite(what, Math.floor(at / columns), at % columns, values[at]!);
}

/** Throws HeadwaterError `data-invalid` unless `values` holds `rows` (at least one) rows of `columns`. */
export function checkLength(values: Float32Array, rows: number, columns: number, what: string): void {
  if (Number.isInteger(rows) && rows >= 1 && values.length === rows * columns) return;
  throw new HeadwaterError(
    "data-invalid",
    `${what} holds ${values.length} values, expected ${rows} rows of ${columns}`,
  );
}

/** Throws HeadwaterError `data-invalid` unless the arrays of `terms` have one value for each param. */
export function checkTerms({ proximal, correction }: StepTerms, { count }: ParamSpec): void {
  const check = (what: string, values: Float32Array | undefined) => {
    if (values === undefined || values.length === count) return;
    const message = `${what} holds ${values.length} values, the model has ${count} params`;
    throw new HeadwaterError("data-invalid", message);
  };
  check("anchor", proximal?.anchor);
  check("correction", correction);
}

/** The error for a value that is NaN or infinite. */
export function notFinite(what: string, row: number, column: number, value: number): HeadwaterError {
  return new HeadwaterError("data-invalid", `${what} row ${row}, column ${column} is ${value}`);
}
