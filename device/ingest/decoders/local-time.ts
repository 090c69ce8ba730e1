// Local time without its zone, such as Tasmota's "2017-02-16T10:13:52", right through daylight saving.

import { offsetReader } from "../../../shared/zone.js";

const LOCAL = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/;
const DAY_MS = 86_400_000;

/**
 * Reads local time of an IANA zone; undefined: of this machine's. An hour that the clocks repeat is the one nearer to
 * `nearMs`, the first where nothing is known; an hour that they skip counts on from before (as RFC 5545, 3.3.5).
 */
export function createLocalTimeReader(
  zone: string | undefined,
): (value: unknown, nearMs: number | undefined) => number | undefined {
  const offsetAt = offsetReader(zone);
  return (value, nearMs) => {
    const wallMs = typeof value === "string" ? parseWall(value) : undefined;
    if (wallMs === undefined) return undefined;
    const before = offsetAt(wallMs - DAY_MS);
    const after = offsetAt(wallMs + DAY_MS);
    const first = wallMs - before;
    const second = wallMs - after;
    if (before === after) return first;
    const isFirst = offsetAt(first) === before;
    if (!isFirst || offsetAt(second) !== after) return isFirst || offsetAt(second) !== after ? first : second;
    return nearMs !== undefined && Math.abs(second - nearMs) < Math.abs(first - nearMs) ? second : first;
  };
}

/** What the clock on the wall says, as if it were UTC. */
function parseWall(text: string): number | undefined {
  const parts = LOCAL.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0));
  const ms = Math.floor(Number(`0.${parts[7] ?? 0}`) * 1000);
  const wallMs = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!, ms);
  // Date.UTC carries the 31st of June over into July.
  return new Date(wallMs).toISOString().slice(0, 16) === `${text.slice(0, 10)}T${text.slice(11, 16)}` &&
    second! < 60
    ? wallMs
    : undefined;
}
