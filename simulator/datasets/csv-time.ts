// Event time of a CSV row: calendar columns, one column of time stamps, or the row's number. All UTC.

import { unreachable } from "../../shared/assert.js";
import type { CsvTimeSpec } from "../../shared/task/task.js";
import type { CsvHeader, CsvRow } from "./csv-rows.js";

const DAY_MS = 86_400_000;

/** Reads the time of each row in turn, in whole ms since 1970. Throws `data-invalid`. */
export function createTimeReader(header: CsvHeader, time: CsvTimeSpec): (row: CsvRow) => number {
  switch (time.kind) {
    case "calendar":
      return readCalendar(time.columns.map((name) => header.column(name)));
    case "column":
      return readStamp(header.column(time.column), time.unit);
    case "index": {
      const column = time.column === undefined ? undefined : header.column(time.column);
      let index = 0;
      return (row) => Math.round((column === undefined ? index++ : row.required(column)) * time.stepMs);
    }
    default:
      return unreachable(time);
  }
}

/** The least and most of month, day, hour, minute and second. A month's own days are counted apart. */
const BOUNDS = [
  [1970, 9999],
  [1, 12],
  [1, 31],
  [0, 23],
  [0, 59],
  [0, 59],
] as const;

// In the order year, month, day, hour, minute, second, as many as there are.
function readCalendar(columns: readonly number[]): (row: CsvRow) => number {
  return (row) => {
    const parts = columns.map((column, at) => {
      const part = row.required(column);
      const [least, most] = BOUNDS[at]!;
      if (Number.isInteger(part) && part >= least && part <= most) return part;
      throw row.complaint(column, `a whole number from ${least} to ${most}`);
    });
    const [year, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts;
    const days = daysOf(year!, month);
    if (day > days) throw row.complaint(columns[2]!, `a day from 1 to ${days}`);
    return Date.UTC(year!, month - 1, day, hour, minute, second);
  };
}

function daysOf(year: number, month: number): number {
  return (Date.UTC(year, month) - Date.UTC(year, month - 1)) / DAY_MS;
}

function readStamp(column: number, unit: "s" | "ms" | "iso"): (row: CsvRow) => number {
  if (unit !== "iso") return (row) => Math.round(row.required(column) * (unit === "s" ? 1000 : 1));
  return (row) => {
    const timeMs = parseIso(row.text(column));
    if (Number.isFinite(timeMs)) return timeMs;
    throw row.complaint(column, "an ISO 8601 time");
  };
}

const ISO = /^(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?:Z|([+-]\d\d):?(\d\d))?)?)?$/;

// Date.parse alone takes a time without a zone as the machine's own, 30 February as 2 March, and "site 1" as a date.
function parseIso(text: string): number {
  const parts = ISO.exec(text);
  if (parts === null) return Number.NaN;
  const [, year, month, day = "01", clock = "00:00", zoneHours, zoneMinutes] = parts;
  if (Number(day) > daysOf(Number(year), Number(month))) return Number.NaN;
  const zone = zoneHours === undefined ? "Z" : `${zoneHours}:${zoneMinutes}`;
  return Date.parse(`${year}-${month}-${day}T${clock}${zone}`);
}
