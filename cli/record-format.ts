// Records as text: CSV (RFC 4180, but for its CR) or JSON lines.

import type { ExportValue } from "../device/catalogue/export.js";

export const recordFormats = ["csv", "jsonl"] as const;

/** Writes records of one shape. */
export interface RecordFormat {
  /** What stands above the first record, with its line end. */
  readonly header: string;
  /** One record, with its line end. */
  line(record: readonly ExportValue[]): string;
}

/** A format for records with these columns. Nothing where a value is missing, vectors with spaces between their numbers. */
export function createRecordFormat(
  kind: (typeof recordFormats)[number],
  columns: readonly string[],
): RecordFormat {
  if (kind === "csv") return { header: csvLine(columns), line: csvLine };
  return { header: "", line: (record) => jsonLine(columns, record) };
}

function csvLine(record: readonly ExportValue[]): string {
  return `${record.map(csvValue).join(",")}\n`;
}

function csvValue(value: ExportValue): string {
  if (value === null) return "";
  const text = Array.isArray(value) ? value.join(" ") : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function jsonLine(columns: readonly string[], record: readonly ExportValue[]): string {
  return `${JSON.stringify(Object.fromEntries(columns.map((column, at) => [column, record[at]])))}\n`;
}
