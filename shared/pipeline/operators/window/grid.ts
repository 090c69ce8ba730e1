// Where windows that follow a rule begin and end.

import { LocalDays } from "../../../zone.js";

/** Numbered windows over positions: times, or numbers of rows. Starts and ends rise with the number. */
export interface WindowGrid {
  startOf(window: number): number;
  /** The first position behind it. */
  endOf(window: number): number;
  /** The first window that covers a position, and the last. */
  firstOver(position: number): number;
  lastOver(position: number): number;
}

/** Windows [k × every + offset, … + size): floored division, so that positions below 0 are as good as any. */
export function evenGrid(size: number, every: number, offset: number): WindowGrid {
  return {
    startOf: (window) => window * every + offset,
    endOf: (window) => window * every + offset + size,
    firstOver: (position) => Math.floor((position - offset - size) / every) + 1,
    lastOver: (position) => Math.floor((position - offset) / every),
  };
}

/** Windows of `size` local days, one every `every` days: 23 or 25 hours long where the clocks change. */
export function dayGrid(zone: string, size: number, every: number, offsetMs: number): WindowGrid {
  const days = Math.floor(offsetMs / DAY_MS);
  const local = new LocalDays(zone, offsetMs % DAY_MS);
  return {
    startOf: (window) => local.startMs(window * every + days),
    endOf: (window) => local.startMs(window * every + days + size),
    firstOver: (timeMs) => Math.floor((local.dayOf(timeMs) - days - size) / every) + 1,
    lastOver: (timeMs) => Math.floor((local.dayOf(timeMs) - days) / every),
  };
}

export const DAY_MS = 86_400_000;
