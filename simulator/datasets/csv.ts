// CSV files as readings. Every complaint names the file, the line, the column and the value.

import { parse } from "csv-parse/sync";
import { unreachable } from "../../shared/assert.js";
import { HeadwaterError, messageOf } from "../../shared/error.js";
import type { Reading, Value } from "../../shared/pipeline/types.js";
import type { CsvTimeSpec, SimulatedSource } from "../../shared/task/task.js";
import { readUnpacked } from "./files.js";

export type CsvSource = Extract<SimulatedSource, { kind: "csv" }>;

/** What to read out of a file. */
export interface CsvOptions {
  readonly source: CsvSource;
  /** Name of the task's source that the readings come from. */
  readonly sourceName: string;
  /** Fields wanted; derived ones are made, the others come from columns. */
  readonly fields: readonly string[];
  /** The entity where the file names none. */
  readonly entity: string;
}

/** Readings of one file, in the file's order. Throws `data-invalid`. */
export function readCsv(path: string, options: CsvOptions): Reading[] {
  const table = readTable(path, options.source);
  const columns = fieldColumns(table, options);
  const entityColumn = options.source.entity === undefined ? undefined : table.column(options.source.entity);
  const timeOf = createTimeReader(table, options.source.time);
  const readings = table.rows.map((row, index): Reading => {
    const values: Record<string, Value> = {};
    for (const [field, column] of columns) values[field] = table.number(index, column);
    const entity = entityColumn === undefined ? options.entity : row[entityColumn]!;
    return { source: options.sourceName, entity, timeMs: timeOf(index), values };
  });
  return withDerived(readings, options);
}

/** A file of one number a line, such as labels that come apart from their rows. */
export function readNumbers(path: string): readonly number[] {
  const lines = readUnpacked(path).toString("utf8").trim().split(/\s+/);
  return lines.map((text, index) => {
    const value = Number(text);
    if (text === "" || !Number.isFinite(value))
      throw invalid(path, index + 1, `expected a number, got "${text}"`);
    return value;
  });
}

/** A file's cells and how to read them. */
interface Table {
  readonly path: string;
  readonly rows: readonly (readonly string[])[];
  column(name: string): number;
  /** The cell as a number, null where it is missing. */
  number(row: number, column: number): number | null;
  /** The cell as a number that must be there. */
  required(row: number, column: number): number;
}

function readTable(path: string, source: CsvSource): Table {
  const records = parseRecords(path, source);
  const header = source.columns ?? records[0]?.map((name) => name.trim());
  const firstLine = source.columns === undefined ? 2 : 1;
  const rows = source.columns === undefined ? records.slice(1) : records;
  if (header === undefined || rows.length === 0)
    throw new HeadwaterError("data-invalid", `${path} has no rows`);
  const missing = new Set(source.missing);
  const number = (row: number, column: number): number | null => {
    const text = rows[row]![column]!.trim();
    if (missing.has(text)) return null;
    const value = text === "" ? Number.NaN : Number(text);
    if (Number.isFinite(value)) return value;
    throw invalid(path, row + firstLine, `column ${header[column]}: expected a number, got "${text}"`);
  };
  return {
    path,
    rows,
    column: (name) => columnNamed(path, header, name),
    number,
    required(row, column) {
      const value = number(row, column);
      if (value !== null) return value;
      throw invalid(path, row + firstLine, `column ${header[column]} is missing, and the time depends on it`);
    },
  };
}

function parseRecords(path: string, source: CsvSource): string[][] {
  const bytes = readUnpacked(path);
  // Columns laid out with spaces are padded with as many as it takes.
  const isPadded = source.delimiter === " ";
  const text = isPadded
    ? bytes
        .toString("utf8")
        .replace(/^ +| +$/gm, "")
        .replace(/ +/g, " ")
    : bytes;
  try {
    return parse(text, { delimiter: source.delimiter, skip_empty_lines: true, bom: true });
  } catch (cause) {
    throw new HeadwaterError("data-invalid", `${path}: ${messageOf(cause)}`, { cause });
  }
}

function columnNamed(path: string, header: readonly string[], name: string): number {
  const exact = header.indexOf(name);
  if (exact >= 0) return exact;
  const loose = header.findIndex((column) => column.toLowerCase() === name.toLowerCase());
  if (loose >= 0) return loose;
  throw new HeadwaterError("data-invalid", `${path} has no column ${name}; it has ${header.join(", ")}`);
}

function fieldColumns(table: Table, { fields, source }: CsvOptions): readonly (readonly [string, number])[] {
  return fields
    .filter((field) => !Object.hasOwn(source.derive, field))
    .map((field) => [field, table.column(source.fields[field] ?? field)] as const);
}

function createTimeReader(table: Table, time: CsvTimeSpec): (row: number) => number {
  switch (time.kind) {
    case "calendar": {
      const columns = time.columns.map((name) => table.column(name));
      return (row) => calendarTime(columns.map((column) => table.required(row, column)));
    }
    case "column": {
      const column = table.column(time.column);
      return (row) => columnTime(table, row, { column, unit: time.unit });
    }
    case "index": {
      const column = time.column === undefined ? undefined : table.column(time.column);
      return (row) => (column === undefined ? row : table.required(row, column)) * time.stepMs;
    }
    default:
      return unreachable(time);
  }
}

// Columns in the order year, month, day, hour, minute, second, as many as there are; UTC.
function calendarTime([
  year,
  month = 1,
  day = 1,
  hour = 0,
  minute = 0,
  second = 0,
]: readonly number[]): number {
  return Date.UTC(year!, month - 1, day, hour, minute, second);
}

function columnTime(
  table: Table,
  row: number,
  { column, unit }: { readonly column: number; readonly unit: "s" | "ms" | "iso" },
): number {
  if (unit !== "iso") return table.required(row, column) * (unit === "s" ? 1000 : 1);
  const text = table.rows[row]![column]!;
  const timeMs = Date.parse(text);
  if (Number.isFinite(timeMs)) return timeMs;
  throw invalid(table.path, row + 1, `expected an ISO 8601 time, got "${text}"`);
}

function withDerived(readings: readonly Reading[], { source, fields }: CsvOptions): Reading[] {
  const derived = fields.filter((field) => Object.hasOwn(source.derive, field));
  if (derived.length === 0) return [...readings];
  const left = new Map<string, number>();
  for (const { entity } of readings) left.set(entity, (left.get(entity) ?? 0) + 1);
  return readings.map((reading) => {
    const rowsLeft = left.get(reading.entity)! - 1;
    left.set(reading.entity, rowsLeft);
    return {
      ...reading,
      values: { ...reading.values, ...Object.fromEntries(derived.map((f) => [f, rowsLeft])) },
    };
  });
}

function invalid(path: string, line: number, what: string): HeadwaterError {
  return new HeadwaterError("data-invalid", `${path}, line ${line}: ${what}`);
}
