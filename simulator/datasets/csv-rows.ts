// A CSV file row by row, with the number of each row's line. Every complaint names file, line, column and value.

import { pipeline } from "node:stream/promises";
import { parse } from "csv-parse";
import { HeadwaterError } from "../../shared/error.js";
import type { SimulatedSource } from "../../shared/task/task.js";
import { openUnpacked, unreadable } from "./files.js";

export type CsvSource = Extract<SimulatedSource, { kind: "csv" }>;

/** Readings stay in memory: more than this many rows in one file is a mistake. */
const MAX_ROWS = 50_000_000;
/** A line longer than this is no table. */
const MAX_LINE = 1_048_576;

/** One row's cells by the number of their column. */
export interface CsvRow {
  readonly line: number;
  /** The cell's text, which must be there. */
  text(column: number): string;
  /** The cell as a number, null where it is missing. */
  number(column: number): number | null;
  /** The cell as a number that must be there. */
  required(column: number): number;
  /** What to throw about a cell. */
  complaint(column: number, expected: string): HeadwaterError;
}

/** The columns of a file. */
export interface CsvHeader {
  /** The column's number, by its name, else whatever upper and lower case. Throws `data-invalid`. */
  column(name: string): number;
}

/**
 * Reads the file: `start` is given the header and says what to do with each row. Rejects with `data-invalid` for a
 * broken archive, a row of another width, or a file without rows.
 */
export async function readRows(
  path: string,
  source: CsvSource,
  start: (header: CsvHeader) => (row: CsvRow) => void,
): Promise<void> {
  const sheet = new Sheet(path, source, start);
  // The first fault is kept by hand: a pipeline may report that it was aborted because of it instead.
  let fault: unknown;
  const takeAll = async (records: AsyncIterable<ParsedRecord>) => {
    try {
      for await (const { record, info } of records) sheet.take(record, info.lines);
    } catch (error) {
      fault = error;
    }
  };
  await pipeline(openUnpacked(path), parserFor(source), takeAll).catch((error: unknown) => {
    fault ??= error;
  });
  if (fault instanceof HeadwaterError) throw fault;
  if (fault !== undefined) throw unreadable(path, fault);
  if (sheet.rows === 0) throw new HeadwaterError("data-invalid", `${path} has no rows`);
}

interface ParsedRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

function parserFor({ delimiter, skip }: CsvSource) {
  return parse({
    delimiter,
    // Columns laid out with spaces have no quotes.
    quote: delimiter === " " ? false : '"',
    bom: true,
    from_line: skip + 1,
    info: true,
    skip_empty_lines: true,
    // Widths are checked here, to say more about them, and after runs of spaces have been taken as one.
    relax_column_count: true,
    max_record_size: MAX_LINE,
  });
}

class Sheet {
  rows = 0;
  readonly #path: string;
  readonly #source: CsvSource;
  readonly #missing: ReadonlySet<string>;
  readonly #start: (header: CsvHeader) => (row: CsvRow) => void;
  #names: readonly string[] | undefined;
  #takeRow: ((row: CsvRow) => void) | undefined;

  constructor(path: string, source: CsvSource, start: (header: CsvHeader) => (row: CsvRow) => void) {
    this.#path = path;
    this.#source = source;
    this.#missing = new Set(source.missing);
    this.#start = start;
    if (source.columns !== undefined) this.#setNames(source.columns);
  }

  take(record: readonly string[], line: number): void {
    // Cells are padded with as many spaces as it takes, also before the first and after the last.
    const cells = this.#source.delimiter === " " ? record.filter((cell) => cell !== "") : record;
    if (cells.length === 0) return;
    if (this.#names === undefined) this.#setNames(cells.map((name) => name.trim()));
    else this.#takeRow!(this.#row(cells, line, this.#names));
  }

  #setNames(names: readonly string[]): void {
    this.#names = names;
    this.#takeRow = this.#start({ column: (name) => this.#column(name, names) });
  }

  #column(name: string, names: readonly string[]): number {
    const exact = names.indexOf(name);
    if (exact >= 0) return exact;
    const loose = names.findIndex((column) => column.toLowerCase() === name.toLowerCase());
    if (loose >= 0) return loose;
    throw new HeadwaterError(
      "data-invalid",
      `${this.#path} has no column ${name}; it has ${names.join(", ")}`,
    );
  }

  #row(cells: readonly string[], line: number, names: readonly string[]): CsvRow {
    if (cells.length !== names.length) {
      throw this.#invalid(`${line}`, `${cells.length} cells, but there are ${names.length} columns`);
    }
    if (++this.rows > MAX_ROWS) throw this.#invalid(`${line}`, `more than ${MAX_ROWS} rows, the limit`);
    const cell = (column: number) => cells[column]!.trim();
    const complaint = (column: number, expected: string) =>
      this.#invalid(`${line}, column ${names[column]}`, `expected ${expected}, got "${cell(column)}"`);
    const isMissing = (column: number) => this.#missing.has(cell(column));
    const number = (column: number): number | null => {
      const text = cell(column);
      if (this.#missing.has(text)) return null;
      const value = text === "" ? Number.NaN : Number(text);
      if (Number.isFinite(value)) return value;
      throw complaint(column, "a number");
    };
    return {
      line,
      number,
      complaint,
      text(column) {
        if (isMissing(column) || cell(column) === "") throw complaint(column, "a value");
        return cell(column);
      },
      required(column) {
        const value = number(column);
        if (value === null) throw complaint(column, "a number, as the time depends on it");
        return value;
      },
    };
  }

  #invalid(place: string, what: string): HeadwaterError {
    return new HeadwaterError("data-invalid", `${this.#path}, line ${place}: ${what}`);
  }
}
