// Event time in a message, to milliseconds since the Unix epoch.

import type { TimeSpec } from "../../../shared/task/decode-spec.js";
import { createLocalTimeReader } from "./local-time.js";
import { parseNumber } from "./text.js";

/** ISO 8601 with its zone: without one it could be any hour of the day. */
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$/;
const ISO_MAX = 40;

const MS_PER = { s: 1_000, ms: 1, us: 1e-3, ns: 1e-6 } as const;

/** Reads a time; undefined when the value is none. `nearMs`: a time it is not far from, where that is known. */
export type ReadTime = (value: unknown, nearMs: number | undefined) => number | undefined;

/** A reader of times in this unit. `isTextual`: the format knows only text. */
export function createTimeReader(
  { unit, zone }: Extract<TimeSpec, { readonly kind: "field" }>,
  isTextual: boolean,
): ReadTime {
  if (unit === "iso") return readIso;
  if (unit === "local") {
    const readLocal = createLocalTimeReader(zone);
    return (value, nearMs) => readIso(value) ?? readLocal(value, nearMs);
  }
  // Beyond what JSON's numbers hold exactly, so these come in quotes too.
  const isQuoted = isTextual || unit === "ns" || unit === "us";
  return (value) => {
    const count = isQuoted && typeof value === "string" ? parseNumber(value) : value;
    return typeof count === "number" ? epochMs(count, unit) : undefined;
  };
}

/** A count of units since the Unix epoch as whole milliseconds; undefined beyond all integers. */
export function epochMs(count: number, unit: keyof typeof MS_PER): number | undefined {
  const whole = Math.round(count * MS_PER[unit]);
  return Number.isSafeInteger(whole) ? whole : undefined;
}

function readIso(value: unknown): number | undefined {
  if (typeof value !== "string" || value.length > ISO_MAX || !ISO.test(value)) return undefined;
  const ms = Math.round(Date.parse(value));
  return Number.isSafeInteger(ms) ? ms : undefined;
}
