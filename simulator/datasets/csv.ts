// CSV files as readings.

import { HeadwaterError } from "../../shared/error.js";
import type { Reading, Value } from "../../shared/pipeline/types.js";
import { type CsvHeader, type CsvSource, readRows } from "./csv-rows.js";
import { createTimeReader } from "./csv-time.js";
import { readUnpacked } from "./files.js";

export type { CsvSource } from "./csv-rows.js";

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

/** Readings of one file, in the file's order. Rejects with `data-invalid`, naming file, line, column and value. */
export async function readCsv(path: string, options: CsvOptions): Promise<Reading[]> {
  const { source, sourceName } = options;
  const readings: Reading[] = [];
  await readRows(path, source, (header) => {
    const columns = fieldColumns(header, options);
    const entityColumn = source.entity === undefined ? undefined : header.column(source.entity);
    const timeOf = createTimeReader(header, source.time);
    return (row) => {
      const values: Record<string, Value> = {};
      for (const [field, column] of columns) values[field] = row.number(column);
      const entity = entityColumn === undefined ? options.entity : row.text(entityColumn);
      readings.push({ source: sourceName, entity, timeMs: timeOf(row), values });
    };
  });
  return withDerived(readings, options);
}

/** A file of one number a line, such as labels that come apart from their rows. Throws `data-invalid`. */
export function readNumbers(path: string): readonly number[] {
  const numbers: number[] = [];
  readUnpacked(path)
    .toString("utf8")
    .split("\n")
    .forEach((line, index) => {
      const text = line.trim();
      if (text === "") return;
      const value = Number(text);
      if (!Number.isFinite(value)) {
        throw new HeadwaterError(
          "data-invalid",
          `${path}, line ${index + 1}: expected a number, got "${text.slice(0, 80)}"`,
        );
      }
      numbers.push(value);
    });
  return numbers;
}

function fieldColumns(
  header: CsvHeader,
  { fields, source }: CsvOptions,
): readonly (readonly [string, number])[] {
  return fields
    .filter((field) => !Object.hasOwn(source.derive, field))
    .map((field) => [field, header.column(source.fields[field] ?? field)] as const);
}

// `rowsLeft`, the only derived value there is: how many rows the entity still has after this one.
function withDerived(readings: Reading[], { source, fields }: CsvOptions): Reading[] {
  const derived = fields.filter((field) => Object.hasOwn(source.derive, field));
  if (derived.length === 0) return readings;
  const left = new Map<string, number>();
  for (const { entity } of readings) left.set(entity, (left.get(entity) ?? 0) + 1);
  return readings.map((reading) => {
    const rowsLeft = left.get(reading.entity)! - 1;
    left.set(reading.entity, rowsLeft);
    const made = Object.fromEntries(derived.map((field) => [field, rowsLeft]));
    return { ...reading, values: { ...reading.values, ...made } };
  });
}
