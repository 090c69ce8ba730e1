// Which field is the event time, and how it is written.

import type { TimeUnit } from "../../shared/task/decode-spec.js";
import { isPath } from "../../shared/task/schema/path.js";
import { createTimeReader } from "../ingest/decoders/time.js";
import type { Cell, Column, Table } from "./table.js";

/** Event times of a table's rows. */
export interface TimeGuess {
  /** Where it is: one field, or fields for the parts of a date, which no decoder puts together. */
  readonly from:
    | { readonly kind: "field"; readonly path: string; readonly unit: TimeUnit }
    | { readonly kind: "calendar"; readonly paths: readonly string[] };
  /** By row; undefined where it says none. */
  readonly timesMs: readonly (number | undefined)[];
}

// A number that no clock of this century would show is something else.
const EARLIEST_MS = 1e12;
const LATEST_MS = 4.1e12;
const READABLE_SHARE = 0.98;
const PRESENT_SHARE = 0.9;
const RISING_SHARE = 0.9;
const TRIED_FIRST = 50;

const NAME =
  /(?:^|[._-])(?:ts|time|timestamp|time_?stamp|datetime|date|epoch|when|t|at|last_seen|utc)(?:_?(?:ns|us|ms|s|utc|iso))?$/i;
const UNITS: readonly TimeUnit[] = ["iso", "local", "s", "ms", "us", "ns"];
const PARTS = ["year", "month", "day", "hour", "minute", "second"] as const;

/** The likeliest event time; undefined when no field looks like one. */
export function guessTime(table: Table): TimeGuess | undefined {
  let best: { readonly guess: TimeGuess; readonly score: number } | undefined;
  for (const [path, column] of table.columns) {
    // A column's name may be none.
    if (!isPath(path)) continue;
    const found = readAs(column, table.rows);
    if (found === undefined) continue;
    const isNamed = NAME.test(path);
    const rising = risingShare(found.timesMs);
    // A large number is a time only if something else says so too.
    if (!isNamed && found.unit !== "iso" && found.unit !== "local" && rising < RISING_SHARE) continue;
    const score = (isNamed ? 2 : 0) + rising;
    if (best === undefined || score > best.score)
      best = { guess: { from: { kind: "field", path, unit: found.unit }, timesMs: found.timesMs }, score };
  }
  return best?.guess ?? guessCalendar(table);
}

function readAs(column: Column, rows: number) {
  const present = column.filter(isPresent);
  if (present.length < PRESENT_SHARE * rows) return undefined;
  for (const unit of UNITS) {
    const read = readerOf(unit);
    // Most fields are no time at all: the first values tell.
    if (!present.slice(0, TRIED_FIRST).some((cell) => read(cell) !== undefined)) continue;
    const timesMs = Array.from({ length: rows }, (_, row) =>
      isPresent(column[row]) ? read(column[row]) : undefined,
    );
    const known = timesMs.filter((ms) => ms !== undefined).length;
    if (known >= READABLE_SHARE * present.length) return { unit, timesMs };
  }
  return undefined;
}

function isPresent(cell: Cell): boolean {
  return cell !== undefined && cell !== null;
}

// Local time is taken for UTC here: only differences matter.
function readerOf(unit: TimeUnit): (cell: Cell) => number | undefined {
  const zone = unit === "local" ? { zone: "UTC" } : {};
  const read = createTimeReader({ kind: "field", field: "", unit, ...zone }, true);
  return (cell) => {
    const ms = read(cell, undefined);
    return ms !== undefined && isPlausible(ms, unit) ? ms : undefined;
  };
}

function isPlausible(ms: number, unit: TimeUnit): boolean {
  return unit === "iso" || unit === "local" ? ms > 0 : ms >= EARLIEST_MS && ms <= LATEST_MS;
}

/** Of two rows after each other, how often the second is not before the first. */
function risingShare(timesMs: readonly (number | undefined)[]): number {
  const known = timesMs.filter((ms) => ms !== undefined);
  const rises = known.filter((ms, i) => i > 0 && ms >= known[i - 1]!).length;
  return known.length < 2 ? 0 : rises / (known.length - 1);
}

function guessCalendar({ columns, rows }: Table): TimeGuess | undefined {
  const byName = new Map([...columns.keys()].map((path) => [path.toLowerCase(), path]));
  const paths = PARTS.map((part) => byName.get(part));
  const missing = paths.indexOf(undefined);
  const known = paths.slice(0, missing < 0 ? paths.length : missing).filter((path) => path !== undefined);
  if (known.length < 3) return undefined;
  const timesMs = Array.from({ length: rows }, (_, row) => {
    const [year = NaN, month = NaN, day = NaN, hour, minute, second] = known.map((path) =>
      Number(columns.get(path)?.[row]),
    );
    const ms = Date.UTC(year, month - 1, day, hour ?? 0, minute ?? 0, second ?? 0);
    return Number.isFinite(ms) ? ms : undefined;
  });
  return { from: { kind: "calendar", paths: known }, timesMs };
}
