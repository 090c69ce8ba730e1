// Lines into the rows of a table: every value of a message under the path that a task would name it by.

import { parseRows } from "../ingest/decoders/csv.js";
import { isObject, parseJson } from "../ingest/decoders/objects.js";
import { splitTopic } from "../offline/line-format.js";
import type { CsvShape, LineShape } from "./sniff.js";
import type { Cell, TableBuilder } from "./table.js";

/** Texts that stand for no value: what the decoder takes for it unless told otherwise. */
const MISSING: ReadonlySet<string> = new Set(["", "NA", "NaN", "null"]);

const DEPTH_MAX = 8;
/** A task names no longer one. */
const PATH_MAX = 256;
/** A longer list of numbers is one value, a vector. */
const LIST_MAX = 8;

/** Adds lines to a table; answers how many could not be read. A header is no line. */
export function addLines(
  table: TableBuilder,
  lines: readonly Uint8Array[],
  { file, shape }: { readonly file: string; readonly shape: LineShape },
): number {
  const add = shape.format === "csv" ? csvAdder(table, file, shape) : jsonAdder(table, file, shape.hasTopics);
  return lines.filter((line) => !add(line)).length;
}

/** Answers whether a line could be read. */
type AddLine = (line: Uint8Array) => boolean;

function csvAdder(table: TableBuilder, file: string, { delimiter, columns }: CsvShape): AddLine {
  const origin = { file, topic: undefined };
  return (line) => {
    const [cells] = parseRows(Buffer.from(line).toString("utf8"), delimiter) ?? [];
    if (cells?.length !== columns.length) return false;
    table.add(
      origin,
      cells.map((text, i) => [columns[i]!, MISSING.has(text) ? null : text] as const),
    );
    return true;
  };
}

function jsonAdder(table: TableBuilder, file: string, hasTopics: boolean): AddLine {
  return (line) => {
    const parsed = hasTopics ? splitTopic(line) : { topic: undefined, payload: line };
    const body = parsed && parseJson(parsed.payload)?.value;
    const objects = (Array.isArray(body) ? body : [body]).filter(isObject);
    for (const object of objects) table.add({ file, topic: parsed?.topic }, flatten(object, "", 1));
    return objects.length > 0;
  };
}

function* flatten(value: object, prefix: string, depth: number): Iterable<readonly [string, Cell]> {
  for (const [key, inner] of Object.entries(value)) {
    // A path cannot name it.
    if (/[.[\]]/.test(key) || key === "") continue;
    yield* flattenValue(inner, `${prefix}${key}`, depth);
  }
}

function* flattenValue(value: unknown, path: string, depth: number): Iterable<readonly [string, Cell]> {
  if (path.length > PATH_MAX) return;
  if (isCell(value)) yield [path, value];
  else if (depth >= DEPTH_MAX) return;
  else if (Array.isArray(value)) {
    const isVector = value.length > LIST_MAX && value.every((each) => typeof each === "number");
    if (isVector) yield [path, value];
    else
      for (const [i, each] of value.slice(0, LIST_MAX).entries())
        yield* flattenValue(each, `${path}[${i}]`, depth + 1);
  } else if (isObject(value)) yield* flatten(value, `${path}.`, depth + 1);
}

function isCell(value: unknown): value is number | string | boolean | null {
  return (
    value === null || typeof value === "number" || typeof value === "string" || typeof value === "boolean"
  );
}
