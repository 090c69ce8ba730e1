// cyclic: time of day, week and year as points on a circle, so that 23:00 lies next to 00:00.

import { z } from "zod";
import type { PipelineRow } from "../types.js";
import { type FeatureOperator, type FeatureState, FREE, RowComputer } from "./port.js";

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
// 1970-01-01 was a Thursday, and weeks begin on Monday (ISO 8601).
const EPOCH_IN_WEEK_MS = 3 * DAY_MS;

const cycle = z.enum(["hour", "dow", "doy"]);

const params = z
  .union([cycle, z.array(cycle).min(1).max(3)], { error: "expected hour, dow or doy, or a list of them" })
  .transform((value) => (typeof value === "string" ? [value] : value));

type Params = z.output<typeof params>;

/** Sine and cosine of the event time's place in the day, week or year, in UTC: `hour_sin`, `hour_cos`. */
export const cyclic: FeatureOperator<Params> = {
  name: "cyclic",
  doc: "Time as a circle, in UTC: hour (of the day), dow (day of the week), doy (day of the year); sine and cosine.",
  example: { params: ["hour", "dow"] },
  params,
  reads: () => [],
  columns: (cycles) => cycles.flatMap((name) => [`${name}_sin`, `${name}_cos`]),
  create: (cycles) => new Cyclic(cycles),
  cost: () => FREE,
};

class Cyclic extends RowComputer {
  readonly #cycles: Params;

  constructor(cycles: Params) {
    super();
    this.#cycles = cycles;
  }

  push({ timeMs }: PipelineRow, out: Float32Array, offset: number): FeatureState {
    let at = offset;
    for (const cycle of this.#cycles) {
      const angle = 2 * Math.PI * phases[cycle](timeMs);
      out[at++] = Math.sin(angle);
      out[at++] = Math.cos(angle);
    }
    return "complete";
  }
}

/** Where a time lies in its cycle: 0 at the start, never 1. */
const phases: Readonly<Record<Params[number], (timeMs: number) => number>> = {
  hour: (timeMs) => (timeMs % DAY_MS) / DAY_MS,
  dow: (timeMs) => ((timeMs + EPOCH_IN_WEEK_MS) % WEEK_MS) / WEEK_MS,
  doy(timeMs) {
    const year = new Date(timeMs).getUTCFullYear();
    const startMs = Date.UTC(year, 0);
    return (timeMs - startMs) / (Date.UTC(year + 1, 0) - startMs);
  },
};
