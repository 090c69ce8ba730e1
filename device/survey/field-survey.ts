// What one field is: a number that varies, a counter, a flag, a few words, or nothing to learn from.

import { typeSeven } from "../../shared/pipeline/quantile.js";
import { parseBoolean, parseNumber } from "../ingest/decoders/text.js";
import type { Cell, Column, Table } from "./table.js";

/** What a field is good for. */
export type FieldRole =
  | "number"
  /** 0 or 1, on or off. */
  | "flag"
  /** A few words. */
  | "words"
  /** Only rises. */
  | "counter"
  /** One more with every row. */
  | "index"
  /** Says how the sensor is, not what it measures. */
  | "diagnostic"
  | "vector"
  | "constant"
  | "empty"
  /** Text with too many values. */
  | "prose"
  /** Numbers and texts. */
  | "mixed";

/** What was seen of a field. */
export interface FieldSurvey {
  readonly path: string;
  readonly role: FieldRole;
  /** Rows with a value, as a share. */
  readonly present: number;
  readonly distinct: number;
  /** Numbers in quotes, in a format that could do without. */
  readonly isQuoted: boolean;
  /** Of numbers: extremes, and the quantiles 0.001 and 0.999. */
  readonly range: Range | undefined;
  readonly words: readonly string[];
  /** Of a vector. */
  readonly length: number;
  /** How often a value is another than the one before of the same entity, as a share. */
  readonly changes: number;
  /** Longest event time without a change, 0 where it is not known. */
  readonly stillMs: number;
}

export interface Range {
  readonly min: number;
  readonly max: number;
  readonly low: number;
  readonly high: number;
}

/** What the rows say besides the field itself. */
export interface RowContext {
  readonly entities: readonly string[];
  readonly timesMs: readonly (number | undefined)[];
  /** The format knows only text. */
  readonly isTextual: boolean;
}

const CLEAR_SHARE = 0.95;
const WORDS_MAX = 32;
const WORDS_SHARE = 0.2;
const WORD_MAX = 64;
const COUNTER_CHANGES = 20;
const COUNTER_SHARE = 0.99;
const DIAGNOSTIC =
  /(?:^|[._-])(?:linkquality|link_quality|rssi|snr|lqi|signal|battery|batt|uptime\w*|heap|wifi|vcc|loadavg|sleep\w*|mqttcount|firmware|version)(?:$|[._-])/i;

/** Looks at every field but those named in `known`. */
export function surveyFields(
  table: Table,
  known: readonly string[],
  context: RowContext,
): readonly FieldSurvey[] {
  return [...table.columns]
    .filter(([path]) => !known.includes(path))
    .map(([path, column]) => surveyField(path, column, table.rows, context));
}

function surveyField(path: string, column: Column, rows: number, context: RowContext): FieldSurvey {
  const cells = Array.from({ length: rows }, (_, row) => interpret(column[row], context.isTextual));
  const present = cells.filter((cell) => cell.kind !== "none");
  const share = (...kinds: readonly Kind[]) =>
    present.filter(({ kind }) => kinds.includes(kind)).length / Math.max(1, present.length);
  const values = new Set(present.map(({ value }) => value));
  const texts = new Set(present.map(({ text }) => text));
  const numbers = Float64Array.from(
    present.flatMap(({ value }) => (typeof value === "number" ? [value] : [])),
  ).sort();
  const isNumeric = share("number", "flag", "quoted") >= CLEAR_SHARE;
  const motion = measureMotion(cells, context);
  return {
    ...{ path, isQuoted: isNumeric && share("quoted") > 0, changes: motion.changes, stillMs: motion.stillMs },
    role: roleOf({ path, share, values, words: texts, present: present.length, isNumeric, motion }),
    present: present.length / Math.max(1, rows),
    distinct: values.size,
    range: isNumeric && numbers.length > 0 ? rangeOf(numbers) : undefined,
    words: isNumeric ? [] : [...texts].sort().slice(0, WORDS_MAX),
    length: Math.max(0, ...present.slice(0, 1).map(({ length }) => length)),
  };
}

type Kind = "none" | "number" | "flag" | "quoted" | "text" | "vector";

interface Read {
  readonly kind: Kind;
  /** What tells it from others: a number where it is one. */
  readonly value: number | string;
  /** As the message has it. */
  readonly text: string;
  readonly length: number;
}

function interpret(cell: Cell, isTextual: boolean): Read {
  if (cell === undefined || cell === null) return { kind: "none", value: "", text: "", length: 0 };
  const text = typeof cell === "object" ? "" : String(cell);
  const one = { text, length: 1 };
  if (typeof cell === "number") return { kind: "number", value: cell, ...one };
  if (typeof cell === "boolean") return { kind: "flag", value: Number(cell), ...one };
  if (typeof cell !== "string") return { kind: "vector", value: cell.length, text, length: cell.length };
  const flag = parseBoolean(cell);
  if (flag !== undefined) return { kind: "flag", value: flag, ...one };
  const number = parseNumber(cell);
  if (number === undefined) return { kind: "text", value: cell, ...one };
  return { kind: isTextual ? "number" : "quoted", value: number, ...one };
}

function roleOf(seen: {
  readonly path: string;
  readonly share: (...kinds: readonly Kind[]) => number;
  readonly values: ReadonlySet<number | string>;
  readonly words: ReadonlySet<string>;
  readonly present: number;
  readonly isNumeric: boolean;
  readonly motion: Motion;
}): FieldRole {
  const { path, share, values, words, present, isNumeric, motion } = seen;
  if (present === 0) return "empty";
  if (share("vector") >= CLEAR_SHARE) return values.size === 1 ? "vector" : "mixed";
  if (values.size === 1) return "constant";
  if (isNumeric) {
    if ([...values].every((value) => value === 0 || value === 1)) return "flag";
    if (motion.isIndex) return "index";
    if (DIAGNOSTIC.test(path)) return "diagnostic";
    return motion.isCounter ? "counter" : "number";
  }
  // "off" beside "heat" is a word, not a truth.
  if (share("text", "flag") < CLEAR_SHARE) return "mixed";
  return words.size <= WORDS_MAX &&
    words.size <= WORDS_SHARE * present &&
    [...words].every(({ length }) => length <= WORD_MAX)
    ? "words"
    : "prose";
}

function rangeOf(sorted: Float64Array): Range {
  return {
    min: sorted[0]!,
    max: sorted.at(-1)!,
    low: typeSeven(sorted, 0.001),
    high: typeSeven(sorted, 0.999),
  };
}

interface Motion {
  readonly changes: number;
  readonly stillMs: number;
  readonly isCounter: boolean;
  readonly isIndex: boolean;
}

/** How the values of each entity follow each other. */
function measureMotion(cells: readonly Read[], { entities, timesMs }: RowContext): Motion {
  const last = new Map<string, { readonly value: number | string; readonly sinceMs: number | undefined }>();
  const counts = { steps: 0, changes: 0, rises: 0, ones: 0 };
  let stillMs = 0;
  for (const [row, { kind, value }] of cells.entries()) {
    if (kind === "none") continue;
    const entity = entities[row]!;
    const before = last.get(entity);
    const timeMs = timesMs[row];
    if (before !== undefined) counts.steps++;
    if (before?.value === value) {
      stillMs = Math.max(stillMs, (timeMs ?? 0) - (before.sinceMs ?? timeMs ?? 0));
      continue;
    }
    last.set(entity, { value, sinceMs: timeMs });
    if (before === undefined) continue;
    counts.changes++;
    if (value > before.value) counts.rises++;
    if (Number(value) - Number(before.value) === 1) counts.ones++;
  }
  const { steps, changes, rises, ones } = counts;
  return {
    changes: changes / Math.max(1, steps),
    stillMs,
    isCounter: changes >= COUNTER_CHANGES && rises >= COUNTER_SHARE * changes,
    isIndex: steps >= COUNTER_CHANGES && ones >= COUNTER_SHARE * steps,
  };
}
