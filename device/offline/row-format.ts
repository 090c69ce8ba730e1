// Rows as text: CSV (RFC 4180) or JSON lines. Numbers are the shortest that read back as the same float32.

import type { Example, FeatureRow } from "../../shared/pipeline/types.js";

/** How rows are written. */
export const rowFormats = ["csv", "jsonl"] as const;

/** Writes rows of one pipeline. */
export interface RowFormat {
  /** What stands above the first row, with its line end. */
  readonly header: string;
  /** One row with its line end; an example brings its label and its side. */
  line(row: FeatureRow | Example): string;
}

/** A format for rows with these columns. */
export function createRowFormat(
  kind: (typeof rowFormats)[number],
  options: { readonly columns: readonly string[]; readonly isExamples: boolean; readonly isRevised: boolean },
): RowFormat {
  return kind === "csv" ? new CsvFormat(options) : new JsonFormat(options.columns);
}

class CsvFormat implements RowFormat {
  readonly header: string;
  readonly #isRevised: boolean;

  constructor({ columns, isExamples, isRevised }: Parameters<typeof createRowFormat>[1]) {
    this.#isRevised = isRevised;
    const head = ["time", "entity", ...columns];
    if (isExamples) head.push("label", "split");
    if (isRevised) head.push("revision");
    this.header = `${head.map(cell).join(",")}\n`;
  }

  line(row: FeatureRow | Example): string {
    let text = `${new Date(row.timeMs).toISOString()},${cell(row.entity)}`;
    for (const value of row.features) text += `,${shortest(value)}`;
    if ("label" in row) text += `,${row.label},${row.split}`;
    if (this.#isRevised) text += `,${row.revision ?? 0}`;
    return `${text}\n`;
  }
}

class JsonFormat implements RowFormat {
  readonly header = "";
  readonly #columns: readonly string[];

  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  line(row: FeatureRow | Example): string {
    const { timeMs, entity, features, revision } = row;
    return `${JSON.stringify({
      time: new Date(timeMs).toISOString(),
      entity,
      features: Object.fromEntries(this.#columns.map((name, i) => [name, Number(shortest(features[i]!))])),
      ...("label" in row ? { label: row.label, split: row.split } : {}),
      ...(revision === undefined ? {} : { revision }),
    })}\n`;
  }
}

/** Quoted where a reader would otherwise take it apart. */
function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Six digits are always exact, nine always tell two float32 apart. */
function shortest(value: number): string {
  if (Number.isInteger(value)) return String(value);
  for (let digits = 6; digits < 9; digits++) {
    const near = Number(value.toPrecision(digits));
    if (Math.fround(near) === value) return String(near);
  }
  return String(Number(value.toPrecision(9)));
}
