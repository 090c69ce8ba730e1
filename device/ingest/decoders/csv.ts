// Lines of separated values (RFC 4180), with the columns' names in the task or in the first line of each message.

import { parse } from "csv-parse/sync";
import { assert } from "../../../shared/assert.js";
import { type Decode, type DecodeFault, type DecoderOptions, fault, READINGS_MAX } from "./port.js";
import { type Item, Shaper } from "./shape.js";
import { utf8 } from "./text.js";

const COLUMNS_MAX = 4096;

/** A decoder for `decode: csv`. */
export function createCsvDecoder(options: DecoderOptions): Decode {
  const { decode } = options.source;
  assert(decode.kind === "csv", "the registry gives each decoder its own kind of source");
  const shaper = new Shaper(options, { places: "names", isTextual: true });
  const missing = new Set(decode.missing);
  return (message) => {
    const rows = parseRows(utf8(message.payload), decode.delimiter);
    const columns = decode.columns ?? rows?.shift();
    if (rows === undefined || columns === undefined || columns.length > COLUMNS_MAX) return fault("not-csv");
    const faults: DecodeFault[] = rows.length > READINGS_MAX ? ["too-many"] : [];
    const items: Item[] = [];
    for (const row of rows.slice(0, READINGS_MAX)) {
      if (row.length === columns.length) items.push({ body: bodyOf(columns, row, missing) });
      else faults.push("bad-row");
    }
    return shaper.shape(message, items, faults);
  };
}

/** Cells of lines of separated values; undefined when they are none. */
export function parseRows(text: string, delimiter: string): string[][] | undefined {
  try {
    return parse(text, {
      ...{ delimiter, bom: true, trim: true, skip_empty_lines: true, relax_column_count: true },
      // The header, the readings, and one more to tell that there are too many.
      to: READINGS_MAX + 2,
    });
  } catch {
    return undefined;
  }
}

function bodyOf(columns: readonly string[], row: readonly string[], missing: ReadonlySet<string>): object {
  const body: Record<string, string | null> = Object.create(null);
  columns.forEach((column, i) => {
    const text = row[i] ?? "";
    body[column] = missing.has(text) ? null : text;
  });
  return body;
}
