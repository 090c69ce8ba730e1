// cyclic: time of day, week and year as points on a circle, so that 23:00 lies next to 00:00.

import { z } from "zod";
import { LocalClock } from "../local-clock.js";
import type { PipelineRow } from "../types.js";
import { type FeatureOperator, type FeatureState, FREE, RowComputer } from "./port.js";
import { zoneParam } from "./zone-param.js";

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
// 1970-01-01 was a Thursday, and weeks begin on Monday (ISO 8601).
const EPOCH_IN_WEEK_MS = 3 * DAY_MS;

const cycle = z.enum(["hour", "dow", "doy", "month"]);
const cycles = z.array(cycle).min(1).max(4);

const params = z
  .union(
    [cycle, cycles, z.strictObject({ of: z.literal("time").optional(), get: cycles, zone: zoneParam })],
    {
      error: "expected hour, dow, doy or month, a list of them, or {get: [hour, dow], zone: Europe/Berlin}",
    },
  )
  .transform((value): Params => {
    if (typeof value === "string") return { get: [value], zone: undefined };
    return "get" in value ? { get: value.get, zone: value.zone } : { get: value, zone: undefined };
  });

type Cycle = z.output<typeof cycle>;

interface Params {
  readonly get: readonly Cycle[];
  readonly zone: string | undefined;
}

/**
 * Sine and cosine of the event time's place in the day (hour), week (dow), year (doy), or year with its months of equal
 * length (month): `hour_sin`, `hour_cos`. By the clock of `zone`, or UTC.
 */
export const cyclic: FeatureOperator<Params> = {
  name: "cyclic",
  doc: "Time as a circle, sine and cosine: hour (of the day), dow (day of the week), doy (day of the year), month; a name, a list, or {get: [hour, dow], zone: Europe/Berlin}. UTC unless a zone is given. From -1 to 1.",
  example: { params: ["hour", "dow"] },
  moreExamples: [{ params: { of: "time", get: ["hour", "doy", "month"], zone: "Europe/Berlin" } }],
  params,
  neverMissing: true,
  reads: () => [],
  columns: ({ get }) => get.flatMap((name) => [`${name}_sin`, `${name}_cos`]),
  create: (params) => new Cyclic(params),
  cost: () => FREE,
};

class Cyclic extends RowComputer {
  readonly #phases: readonly Phase[];
  readonly #clock: LocalClock;

  constructor({ get, zone }: Params) {
    super();
    this.#phases = get.map((name) => phases[name]);
    this.#clock = new LocalClock(zone);
  }

  push({ timeMs }: PipelineRow, out: Float32Array, offset: number): FeatureState {
    const localMs = this.#clock.localMs(timeMs);
    let at = offset;
    for (const phase of this.#phases) {
      const angle = 2 * Math.PI * phase(localMs);
      out[at++] = Math.sin(angle);
      out[at++] = Math.cos(angle);
    }
    return "complete";
  }
}

/** Where a local time lies in its cycle: 0 at the start, never 1. */
type Phase = (localMs: number) => number;

const phases: Readonly<Record<Cycle, Phase>> = {
  hour: (localMs) => wrap(localMs, DAY_MS),
  dow: (localMs) => wrap(localMs + EPOCH_IN_WEEK_MS, WEEK_MS),
  doy(localMs) {
    const year = new Date(localMs).getUTCFullYear();
    const startMs = Date.UTC(year, 0);
    return (localMs - startMs) / (Date.UTC(year + 1, 0) - startMs);
  },
  month(localMs) {
    const date = new Date(localMs);
    const month = date.getUTCMonth();
    const startMs = Date.UTC(date.getUTCFullYear(), month);
    const share = (localMs - startMs) / (Date.UTC(date.getUTCFullYear(), month + 1) - startMs);
    return (month + share) / 12;
  },
};

// West of Greenwich, local time begins before 1970.
function wrap(localMs: number, cycleMs: number): number {
  return (localMs - Math.floor(localMs / cycleMs) * cycleMs) / cycleMs;
}
