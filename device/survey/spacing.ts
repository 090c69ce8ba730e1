// How far apart in time the rows of one entity are.

import { typeSeven } from "../../shared/pipeline/quantile.js";
import { nearestRound } from "./round.js";

/** Distances of rows, in event time. */
export interface Spacing {
  /** A grid that fits: the median, rounded. */
  readonly everyMs: number;
  readonly medianMs: number;
  /** One in a hundred is longer. */
  readonly longMs: number;
  /** Half of the distances are not even within a half of the median and twice that. */
  readonly isIrregular: boolean;
  /** From the first to the last row. */
  readonly spanMs: number;
  /** How far behind the newest row of its file a row comes at most. */
  readonly disorderMs: number;
}

/** From one row to the next of each entity; undefined when there are no two. */
export function measureSpacing(rows: {
  readonly timesMs: readonly (number | undefined)[];
  readonly entities: readonly string[];
  /** Where each row comes from: order counts within one. */
  readonly files: readonly string[];
}): Spacing | undefined {
  const { timesMs, entities, files } = rows;
  const [ofEntity, ofFile] = [new Map<string, number>(), new Map<string, number>()];
  const distances: number[] = [];
  let disorderMs = 0;
  let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const [row, timeMs] of timesMs.entries()) {
    if (timeMs === undefined) continue;
    [firstMs, lastMs] = [Math.min(firstMs, timeMs), Math.max(lastMs, timeMs)];
    disorderMs = Math.max(disorderMs, raise(ofFile, files[row]!, timeMs) - timeMs);
    const beforeMs = raise(ofEntity, entities[row]!, timeMs);
    if (timeMs > beforeMs) distances.push(timeMs - beforeMs);
  }
  if (distances.length === 0) return undefined;
  const sorted = Float64Array.from(distances).sort();
  const medianMs = typeSeven(sorted, 0.5);
  const near = sorted.filter((ms) => ms >= medianMs / 2 && ms <= 2 * medianMs).length;
  return {
    everyMs: gridOf(medianMs),
    medianMs,
    longMs: typeSeven(sorted, 0.99),
    isIrregular: near < sorted.length / 2,
    spanMs: lastMs - firstMs,
    disorderMs,
  };
}

/** Raises the newest time under `key`; answers what it was before, or `timeMs` when there was none. */
function raise(newest: Map<string, number>, key: string, timeMs: number): number {
  const beforeMs = newest.get(key) ?? timeMs;
  newest.set(key, Math.max(beforeMs, timeMs));
  return beforeMs;
}

// 7 s is 7 s; 59.8 s is a minute.
function gridOf(medianMs: number): number {
  const round = nearestRound(medianMs);
  if (Math.abs(round - medianMs) <= 0.1 * medianMs) return round;
  return medianMs >= 1000 ? Math.round(medianMs / 1000) * 1000 : Math.max(1, Math.round(medianMs));
}
