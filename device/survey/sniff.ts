// What the first lines look like: their format, whether they name topics, what separates their values.

import { parseRows } from "../ingest/decoders/csv.js";
import { parseNumber } from "../ingest/decoders/text.js";

/** Formats that a task can be guessed from. */
export const surveyFormats = ["json", "csv", "zigbee2mqtt", "tasmota"] as const;
export type SurveyFormat = (typeof surveyFormats)[number];

/** How lines are to be read. */
export type LineShape =
  | { readonly format: Exclude<SurveyFormat, "csv">; readonly hasTopics: boolean }
  | CsvShape;

export interface CsvShape {
  readonly format: "csv";
  readonly hasTopics: false;
  readonly delimiter: Delimiter;
  readonly columns: readonly string[];
  /** header: the first line names all columns; some: not all of them, or some twice; none: they were made up. */
  readonly names: "header" | "some" | "none";
}

export const delimiters = [",", ";", "\t", "|", " "] as const;
export type Delimiter = (typeof delimiters)[number];

/** As many, and as long, as a task may name. */
const COLUMNS_MAX = 1024;
const NAME_MAX = 256;

/** Lines that are looked at. */
export const SNIFFED_LINES = 50;

// A topic has levels, and the payload is an object or a list of them.
const WITH_TOPIC = /^[^\s{["'][^\t{]*\/[^\t{]*?[\t ]\s*[{[]/;
const OBJECT = /^\s*[{[]/;

/** The shape of these lines, at least one; undefined when it cannot be told. `asked`: the format, where it is known. */
export function sniff(lines: readonly string[], asked: SurveyFormat | undefined): LineShape | undefined {
  if (asked === "csv") return sniffCsv(lines);
  const isMost = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length > lines.length / 2;
  const hasTopics = isMost(WITH_TOPIC);
  if (asked !== undefined) return { format: asked, hasTopics };
  if (hasTopics) return { format: publisherOf(isMost), hasTopics };
  return isMost(OBJECT) ? { format: "json", hasTopics } : sniffCsv(lines);
}

function publisherOf(isMost: (pattern: RegExp) => boolean): "zigbee2mqtt" | "tasmota" | "json" {
  if (isMost(/^zigbee2mqtt\//)) return "zigbee2mqtt";
  // Its Time has no zone: "2017-02-16T10:13:52".
  return isMost(/\/(?:SENSOR|STATE)[\t ].*"Time":\s*"[-\dT:]{19}"/) ? "tasmota" : "json";
}

function sniffCsv(lines: readonly string[]): CsvShape | undefined {
  for (const delimiter of delimiters) {
    const rows = parseRows(lines.join("\n"), delimiter);
    const widths = rows?.map(({ length }) => length) ?? [];
    const [first = 0, width = first] = widths;
    const isEven = widths.slice(1).every((each) => each === width);
    if (
      rows === undefined ||
      Math.min(first, width) < 2 ||
      width > COLUMNS_MAX ||
      !isEven ||
      (first !== width && first !== width - 1)
    )
      continue;
    return { format: "csv", hasTopics: false, delimiter, ...columnsOf(rows, width) };
  }
  return undefined;
}

function columnsOf(rows: readonly string[][], width: number): Pick<CsvShape, "columns" | "names"> {
  const head = rows[0] ?? [];
  const isHeader =
    head.every((cell) => parseNumber(cell) === undefined && !/^\d/.test(cell)) && head.some(Boolean);
  if (!isHeader && head.length === width) return { columns: nameAll(head.map(() => "")), names: "none" };
  const columns = nameAll(head.length < width ? ["row", ...head] : head);
  return { columns, names: columns.join("\n") === head.join("\n") ? "header" : "some" };
}

/** Names of their own for columns that have none, or another's. */
function nameAll(names: readonly string[]): readonly string[] {
  return names.map((name, i) => {
    const isOwn = name !== "" && name.length <= NAME_MAX && names.indexOf(name) === i;
    return isOwn ? name : freeName(`c${i + 1}`, names);
  });
}

function freeName(name: string, taken: readonly string[]): string {
  return taken.includes(name) ? freeName(`${name}_`, taken) : name;
}
