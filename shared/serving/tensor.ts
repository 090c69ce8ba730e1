// One tensor of a request, as numbers a model takes: from JSON or from raw bytes, checked element by element.

import {
  type Datatype,
  datatypeBytes,
  datatypeNames,
  elementProblem,
  isDatatype,
  readElement,
} from "./datatype.js";
import { answered, malformed, type Outcome } from "./problem.js";

/** A tensor as it was sent. `raw` are its bytes where it is binary. */
export interface SentTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data: readonly unknown[] | undefined;
  readonly raw: Uint8Array | undefined;
}

/** What a model asks of it: so many columns, and no more rows. */
export interface TensorLimits {
  readonly columns: number;
  readonly rowsMax: number;
}

/** Rows of features, row-major. */
export interface FeatureTensor {
  readonly rows: number;
  readonly values: Float32Array;
}

/** The rows of a [rows, columns] tensor. Every number must be finite, and still be so as a float32. */
export function readFeatures(tensor: SentTensor, limits: TensorLimits): Outcome<FeatureTensor> {
  const { name, shape, datatype, data, raw } = tensor;
  if (!isDatatype(datatype)) return malformed(describeDatatype(name, datatype));
  const { columns, rowsMax } = limits;
  const [rows = 0] = shape;
  if (shape.length !== 2 || shape[1] !== columns || rows < 1) {
    return malformed(`tensor "${name}" has shape [${shape.join(", ")}], expected [rows, ${columns}]`);
  }
  if (rows > rowsMax) return malformed(`tensor "${name}" has ${rows} rows, the limit is ${rowsMax}`);
  const values = new Float32Array(rows * columns);
  const problem =
    raw === undefined ? fillFromJson(values, data, datatype) : fillFromBytes(values, raw, datatype);
  return problem === undefined ? answered({ rows, values }) : malformed(`tensor "${name}" ${problem}`);
}

function describeDatatype(name: string, datatype: string): string {
  const known = `use one of ${datatypeNames.join(", ")}`;
  if (datatype === "BYTES") return `tensor "${name}" is BYTES, which is text and not a number: ${known}`;
  return `tensor "${name}" has the unknown datatype "${datatype}": ${known}`;
}

function fillFromBytes(values: Float32Array, raw: Uint8Array, datatype: Datatype): string | undefined {
  const wanted = values.length * datatypeBytes(datatype);
  if (raw.length !== wanted) {
    return `has ${raw.length} bytes, its shape and datatype ${datatype} need ${wanted}`;
  }
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  for (let at = 0; at < values.length; at++) {
    const problem = put(values, at, readElement(datatype, view, at), datatype);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function fillFromJson(
  values: Float32Array,
  data: readonly unknown[] | undefined,
  datatype: Datatype,
): string | undefined {
  if (data === undefined) return "has neither data nor binary_data_size";
  const filled = fillNested({ values, datatype, at: 0 }, data, 1);
  if (typeof filled === "string") return filled;
  return filled === values.length ? undefined : `has ${filled} elements, its shape needs ${values.length}`;
}

/** Deeper than any shape that is taken. */
const DEPTH_MAX = 8;

/** Writes a list, nested or not, from `at` on; the place after it, or what is wrong. */
function fillNested(
  {
    values,
    datatype,
    at,
  }: { readonly values: Float32Array; readonly datatype: Datatype; readonly at: number },
  data: readonly unknown[],
  depth: number,
): number | string {
  if (depth > DEPTH_MAX) return `is nested deeper than ${DEPTH_MAX} lists`;
  let next = at;
  for (const element of data) {
    if (Array.isArray(element)) {
      const filled = fillNested({ values, datatype, at: next }, element, depth + 1);
      if (typeof filled === "string") return filled;
      next = filled;
      continue;
    }
    if (next >= values.length) return `has more elements than the ${values.length} of its shape`;
    const value = typeof element === "boolean" && datatype === "BOOL" ? Number(element) : element;
    if (typeof value !== "number") {
      return `has element ${next} of type ${typeOf(element)}, expected a number (${datatype})`;
    }
    const problem = put(values, next++, value, datatype);
    if (problem !== undefined) return problem;
  }
  return next;
}

function put(values: Float32Array, at: number, value: number, datatype: Datatype): string | undefined {
  const problem = elementProblem(datatype, value);
  if (problem !== undefined) return `element ${at} ${problem}`;
  values[at] = value;
  return Number.isFinite(values[at]) ? undefined : `element ${at} is ${value}, too large for FP32`;
}

function typeOf(element: unknown): string {
  return element === null ? "null" : typeof element;
}
